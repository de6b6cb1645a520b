"""What was said, and which tools were used."""

import json
from typing import Any

from shared.contract.decode_event import Event
from shared.fold.events import CallEvents
from shared.fold.record import SpokenWord, ToolCallInvocation, ToolCallResult, Turn

_WHOLE = len(SpokenWord.__annotations__)

Spoken = tuple[int, Event, Turn]
Entry = tuple[int, Event, Turn | ToolCallInvocation | ToolCallResult]


def effective_turns(call: CallEvents) -> list[Spoken]:
    """Return the effective turns, sorted by `(timestamp, ordering key)`.

    Only final turns count. Of one turn the highest revision wins, of equal revisions the latest; a retraction removes
    every revision up to its own.
    """
    best: dict[tuple[str, str, bool], Event] = {}
    for event in call.carrying("transcript.turn"):
        if event.data.get("final") is not False:
            key = _turn(event)
            if key not in best or _revision(event) >= _revision(best[key]):
                best[key] = event
    for event in call.carrying("transcript.retracted"):
        key = _turn(event)
        if key in best and _revision(best[key]) <= event.data["revision"]:
            del best[key]
    return sorted((_spoken(event) for event in best.values()), key=_order)


def with_tool_calls(call: CallEvents, turns: list[Spoken]) -> list[Turn | ToolCallInvocation | ToolCallResult]:
    """Return the turns and the tool calls in order; empty if there is no tool event."""
    called = {_tool(event): (event.time, event, _invocation(event)) for event in call.carrying("tool.called")}
    returned = {_tool(event): (event.time, event, _result(event)) for event in call.carrying("tool.returned")}
    if not called and not returned:
        return []
    entries: list[Entry] = [*turns, *called.values(), *returned.values()]
    return [entry for _, _, entry in sorted(entries, key=_order)]


def transcript(turns: list[Spoken]) -> str:
    return "\n".join(turn["content"] for _, _, turn in turns)


def _turn(event: Event) -> tuple[str, str, bool]:
    """Return the key of a turn: its `turn_id` within its source, or the event itself if it has none."""
    turn_id = event.data.get("turn_id")
    return (event.ordering_key.source, event.ordering_key.id if turn_id is None else turn_id, turn_id is None)


def _tool(event: Event) -> tuple[str, str]:
    return (event.ordering_key.source, event.data["tool_call_id"])


def _revision(event: Event) -> int:
    return event.data.get("revision") or 0


def _order(entry: Spoken | Entry) -> tuple[int, Any]:
    return (entry[0], entry[1].ordering_key)


def _spoken(event: Event) -> Spoken:
    data = event.data
    words = data.get("words") or []
    timestamp = data.get("timestamp")
    if timestamp is None:
        timestamp = words[0].get("start") if words else None
    if timestamp is None:
        timestamp = event.time
    turn: Turn = {
        "role": "assistant" if data["role"] == "agent" else data["role"],
        "content": data["content"],
        "timestamp": timestamp,
        "words": [word if len(word) == _WHOLE else _whole(word) for word in words],
    }
    return (timestamp, event, turn)


def _whole(word: dict[str, Any]) -> SpokenWord:
    """Return a word with every field: most have all and are used as they are."""
    return {"word": word["word"], "start": word.get("start"), "end": word.get("end")}


def _invocation(event: Event) -> ToolCallInvocation:
    arguments = event.data.get("arguments")
    return {
        "role": "tool_call_invocation",
        "tool_call_id": event.data["tool_call_id"],
        "name": event.data["name"],
        "arguments": "{}" if arguments is None else _as_text(arguments),
        "timestamp": event.time,
    }


def _result(event: Event) -> ToolCallResult:
    return {
        "role": "tool_call_result",
        "tool_call_id": event.data["tool_call_id"],
        "content": _as_text(event.data["content"]),
        "successful": event.data.get("successful"),
        "timestamp": event.time,
    }


def _as_text(value: Any) -> str:
    """Return a string unchanged, and anything else as JSON: keys sorted, no spaces."""
    if isinstance(value, str):
        return value
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
