"""Which tools were used (docs/record.md, Tools)."""

import json
from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from operator import itemgetter
from typing import Any, NamedTuple

from shared.contract.decode_event import Event, OrderingKey
from shared.fold.conversation.turns import StandingTurn
from shared.fold.events import CallEvents
from shared.fold.record import ToolCallInvocation, ToolCallResult, Turn

_CALLED, _RETURNED = "tool.called", "tool.returned"


Entry = Turn | ToolCallInvocation | ToolCallResult


class ToolEntry(NamedTuple):
    """A call of a tool or its result, at the time that it states, else at its event's (Unix milliseconds)."""

    timestamp: int
    ordering_key: OrderingKey
    event: Event


class ToolUse(NamedTuple):
    """The calls and results that stand, in order; `results` has the result of each call that has one."""

    called: Sequence[ToolEntry]
    returned: Sequence[ToolEntry]
    results: Mapping[OrderingKey, ToolEntry]

    def alone(self) -> list[ToolEntry]:
        """Return the results that belong to no call."""
        paired = {result.ordering_key for result in self.results.values()}
        return [result for result in self.returned if result.ordering_key not in paired]


def tool_use(call: CallEvents) -> ToolUse | None:
    """Return the tools that were used, None if there is no tool event or the call has opted out."""
    if call.opted_out or (_CALLED not in call.by_type and _RETURNED not in call.by_type):
        return None
    called, returned = _standing(call.of(_CALLED)), _standing(call.of(_RETURNED))
    return ToolUse(called, returned, _paired(called, returned))


def with_tool_calls(turns: Sequence[StandingTurn], spoken: Sequence[Turn], tools: ToolUse | None) -> list[Entry]:
    """Return the turns and the tool calls in order; empty if no tool was used.

    `spoken` has the turns as the record shows them. A result whose call stands after it is placed directly behind it.
    """
    if tools is None:
        return []
    behind = {
        called.ordering_key: result
        for called in tools.called
        if (result := tools.results.get(called.ordering_key)) is not None and _order(called) > _order(result)
    }
    moved = {result.ordering_key for result in behind.values()}
    placed: list[tuple[int, OrderingKey, list[Entry]]] = [
        (turn.timestamp, turn.ordering_key, [said]) for turn, said in zip(turns, spoken, strict=True)
    ]
    for called in tools.called:
        result = behind.get(called.ordering_key)
        shown: list[Entry] = [_invocation(called)]
        if result is not None:
            shown.append(_result(result))
        placed.append((*_order(called), shown))
    placed += [(*_order(result), [_result(result)]) for result in tools.returned if result.ordering_key not in moved]
    placed.sort(key=itemgetter(0, 1))
    return [entry for _, _, entries in placed for entry in entries]


def as_text(value: Any) -> str:
    """Return a string unchanged, and anything else as JSON: keys sorted, no spaces."""
    if isinstance(value, str):
        return value
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def arguments(event: Event) -> str:
    """Return the arguments of a call as text: `{}` if there are none."""
    return as_text(event.data.get("arguments", {}))


def _standing(events: Sequence[Event]) -> list[ToolEntry]:
    """Return the entries in order: each event, but of those that state a `revision` the highest of each id.

    Providers number their calls anew in every turn, so that equal ids alone do not make two calls one.
    """
    standing: dict[tuple[str, str, bool], Event] = {}
    for event in events:
        _, _, _, source, _, identity = event.ordering_key
        tool_call_id, revision = event.data.get("tool_call_id"), event.data.get("revision")
        if tool_call_id is None or revision is None:
            standing[source, identity, False] = event
            continue
        other = standing.get((source, tool_call_id, True))
        if other is None or revision >= other.data["revision"]:
            standing[source, tool_call_id, True] = event
    return sorted(_entry(event) for event in standing.values())


def _entry(event: Event) -> ToolEntry:
    return ToolEntry(event.data.get("timestamp", event.time), event.ordering_key, event)


def _paired(called: Sequence[ToolEntry], returned: Sequence[ToolEntry]) -> dict[OrderingKey, ToolEntry]:
    """Return the result of each call that has one, the results taken in order.

    A result belongs to the latest call of its id that is not after it and has no result yet, else to the earliest after
    it that has none: of its own source if that has a call of the id, else of the others. No result is of a call without
    an id of its own.
    """
    waiting: dict[tuple[str | None, str], list[ToolEntry]] = {}
    for entry in called:
        if (tool_call_id := entry.event.data.get("tool_call_id")) is not None:
            waiting.setdefault((entry.ordering_key.source, tool_call_id), []).append(entry)
            waiting.setdefault((None, tool_call_id), []).append(entry)
    own = {key for key in waiting if key[0] is not None}
    results: dict[OrderingKey, ToolEntry] = {}
    for result in returned:
        tool_call_id = result.event.data.get("tool_call_id")
        if tool_call_id is None:
            continue
        source = result.ordering_key.source
        candidates = waiting.get((source if (source, tool_call_id) in own else None, tool_call_id))
        if candidates:
            not_after = bisect_right(candidates, _order(result), key=_order)
            found = candidates[max(0, not_after - 1)]
            results[found.ordering_key] = result
            for key in ((found.ordering_key.source, tool_call_id), (None, tool_call_id)):
                _remove(waiting[key], found)
    return results


def _remove(entries: list[ToolEntry], entry: ToolEntry) -> None:
    del entries[bisect_left(entries, _order(entry), key=_order)]


def _order(entry: ToolEntry) -> tuple[int, OrderingKey]:
    return entry[:2]


def _id(event: Event) -> str:
    tool_call_id: str = event.data.get("tool_call_id", event.ordering_key.id)
    return tool_call_id


def _invocation(entry: ToolEntry) -> ToolCallInvocation:
    return {
        "role": "tool_call_invocation",
        "tool_call_id": _id(entry.event),
        "name": entry.event.data["name"],
        "arguments": arguments(entry.event),
        "timestamp": entry.timestamp,
    }


def _result(entry: ToolEntry) -> ToolCallResult:
    return {
        "role": "tool_call_result",
        "tool_call_id": _id(entry.event),
        "content": as_text(entry.event.data["content"]),
        "successful": entry.event.data.get("successful"),
        "timestamp": entry.timestamp,
    }
