"""Which tools were used (docs/record.md, Tools)."""

import json
from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Any, NamedTuple

from shared.contract.decode_event import Event, OrderingKey
from shared.fold.conversation.turns import StandingTurn
from shared.fold.events import CallEvents
from shared.fold.record import ToolCallInvocation, ToolCallResult, Turn

_CALLED, _RETURNED = "tool.called", "tool.returned"

# Made once: `json.dumps` makes an encoder for each text, which takes longer than the text.
_encode = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode


Entry = Turn | ToolCallInvocation | ToolCallResult


class ToolEntry(NamedTuple):
    """A call of a tool or its result, at the time that it states, else at its event's (Unix milliseconds)."""

    timestamp: int
    ordering_key: OrderingKey
    event: Event


class ToolUse(NamedTuple):
    """The calls and results that stand, in order.

    `results` has the result of each call that has one, `early` those of them that stand before their call.
    """

    called: Sequence[ToolEntry]
    returned: Sequence[ToolEntry]
    results: Mapping[OrderingKey, ToolEntry]
    early: Mapping[OrderingKey, ToolEntry]

    def alone(self) -> list[ToolEntry]:
        """Return the results that belong to no call."""
        paired = {result.ordering_key for result in self.results.values()}
        return [result for result in self.returned if result.ordering_key not in paired]


def tool_use(call: CallEvents) -> ToolUse | None:
    """Return the tools that were used, None if there is no tool event or the call has opted out."""
    if call.opted_out or (_CALLED not in call.by_type and _RETURNED not in call.by_type):
        return None
    called, returned = _standing(call.of(_CALLED)), _standing(call.of(_RETURNED))
    results = _paired(called, returned)
    early = {
        call.ordering_key: result
        for call in called
        if (result := results.get(call.ordering_key)) is not None and result < call
    }
    return ToolUse(called, returned, results, early)


def with_tool_calls(turns: Sequence[StandingTurn], spoken: Sequence[Turn], tools: ToolUse | None) -> list[Entry]:
    """Return the turns and the tool calls in order; empty if no tool was used.

    `spoken` has the turns as the record shows them. A result whose call stands after it is placed directly behind it.
    """
    if tools is None:
        return []
    behind = tools.early
    moved = {result.ordering_key for result in behind.values()}
    placed: list[tuple[int, OrderingKey, Entry]] = [
        (turn.timestamp, turn.ordering_key, said) for turn, said in zip(turns, spoken, strict=True)
    ]
    placed += [(at, key, _invocation(at, event)) for at, key, event in tools.called]
    placed += [(at, key, _result(at, event)) for at, key, event in tools.returned if key not in moved]
    placed.sort()  # no two entries have one ordering key
    if not behind:
        return [entry for _, _, entry in placed]
    shown: list[Entry] = []
    for _, key, entry in placed:
        shown.append(entry)
        if key in behind:
            shown.append(_result(behind[key].timestamp, behind[key].event))
    return shown


def as_text(value: Any) -> str:
    """Return a string unchanged, and anything else as JSON: keys sorted, no spaces."""
    if isinstance(value, str):
        return value
    return _encode(value)


def arguments(event: Event) -> str:
    """Return the arguments of a call as text: `{}` if there are none."""
    return as_text(event.data.get("arguments", {}))


def _standing(events: Sequence[Event]) -> list[ToolEntry]:
    """Return the entries in order: each event, but of those that state a `revision` the highest of each id.

    Providers number their calls anew in every turn, so that equal ids alone do not make two calls one.
    """
    standing: list[Event] = []
    revised: dict[tuple[str, str], Event] = {}
    for event in events:
        data = event.data
        if "revision" not in data or "tool_call_id" not in data:
            standing.append(event)
            continue
        key = (event.ordering_key.source, data["tool_call_id"])
        if key not in revised or data["revision"] >= revised[key].data["revision"]:
            revised[key] = event
    return sorted(
        ToolEntry(event.data.get("timestamp", event.time), event.ordering_key, event)
        for event in (*standing, *revised.values())
    )


def _paired(called: Sequence[ToolEntry], returned: Sequence[ToolEntry]) -> dict[OrderingKey, ToolEntry]:
    """Return the result of each call that has one, the results taken in order.

    A result belongs to the latest call of its id that is not after it and has no result yet, else to the earliest after
    it that has none: of its own source if that has a call of the id, else of the others. No result is of a call without
    an id of its own.
    """
    waiting: dict[str, _Waiting] = {}
    for entry in called:
        if (tool_call_id := entry.event.data.get("tool_call_id")) is not None:
            waiting.setdefault(tool_call_id, _Waiting()).add(entry)
    results: dict[OrderingKey, ToolEntry] = {}
    for result in returned:
        of_id = waiting.get(result.event.data.get("tool_call_id"))
        if of_id is not None and (found := of_id.take_nearest(result)) is not None:
            results[found.ordering_key] = result
    return results


class _Waiting:
    """The calls of one id that have no result yet, in order."""

    def __init__(self) -> None:
        self._by_source: dict[str, list[ToolEntry]] = {}
        self._all: list[ToolEntry] | None = None  # of all sources, once a result of another source asks for them

    def add(self, call: ToolEntry) -> None:
        self._by_source.setdefault(call.ordering_key.source, []).append(call)

    def take_nearest(self, result: ToolEntry) -> ToolEntry | None:
        """Return the call to which a result belongs, which waits no longer; None if none waits."""
        own = self._by_source.get(result.ordering_key.source)
        if own is None and self._all is None:
            self._all = sorted(chain.from_iterable(self._by_source.values()))
        calls = (self._all or []) if own is None else own
        if not calls:
            return None
        found = calls[max(0, bisect_right(calls, _order(result), key=_order) - 1)]
        for entries in (self._by_source[found.ordering_key.source], self._all):
            if entries is not None:
                del entries[bisect_left(entries, _order(found), key=_order)]
        return found


def _order(entry: ToolEntry) -> tuple[int, OrderingKey]:
    return entry[:2]


def _id(event: Event) -> str:
    tool_call_id: str = event.data.get("tool_call_id", event.ordering_key.id)
    return tool_call_id


def _invocation(timestamp: int, event: Event) -> ToolCallInvocation:
    return {
        "role": "tool_call_invocation",
        "tool_call_id": _id(event),
        "name": event.data["name"],
        "arguments": arguments(event),
        "timestamp": timestamp,
    }


def _result(timestamp: int, event: Event) -> ToolCallResult:
    return {
        "role": "tool_call_result",
        "tool_call_id": _id(event),
        "content": as_text(event.data["content"]),
        "successful": event.data.get("successful"),
        "timestamp": timestamp,
    }
