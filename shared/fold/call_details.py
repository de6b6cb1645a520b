"""From the events of a call to its details: what the record has no room for (docs/record.md, Details)."""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

from shared.contract.decode_event import Event
from shared.contract.fields import NO_CURRENCY
from shared.contract.payloads import TYPES
from shared.fold.call import Call, call_of
from shared.fold.conversation.tools import ToolEntry, arguments, as_text
from shared.fold.conversation.turns import StandingTurn, whole
from shared.fold.cost import ReportedCost, number
from shared.fold.details import (
    CostDetail,
    Details,
    EndDetail,
    EventName,
    LegDetail,
    ProblemDetail,
    RecordingDetail,
    ToolCallDetail,
    TransferDetail,
    TurnDetail,
    UsageDetail,
)
from shared.fold.events import latest_of_each, leg_of, named_key
from shared.fold.lifecycle.duration import seconds
from shared.fold.lifecycle.end import End
from shared.fold.lifecycle.session import given_start
from shared.fold.prices import PriceBook
from shared.fold.problems import MOST_LISTED, CallProblem, in_order

Json = dict[str, Any]

_TURN_FIELDS = ("interrupted", "speaker", "channel", "language", "confidence", "leg_id", "metadata")


def call_details(events: Iterable[Event], book: PriceBook, *, opted_out: bool = False) -> Details:
    """Return the details of the call whose events these are, in any order and repeated or not.

    Raises:
        NoEvents: `events` is empty.
    """
    return details_of(call_of(events, book, opted_out=opted_out))


def details_of(call: Call) -> Details:
    """Return the details that the events of a call add up to."""
    first = call.events.events[0]
    return {
        "call_id": first.call_id,
        "organization_id": first.organization_id,
        "event_count": len(call.events.events),
        "conflict_count": call.events.conflicts,
        "legs": _legs(call),
        "recordings": _recordings(call),
        "turns": [_turn(turn) for turn in call.shown_turns],
        "tool_calls": _tool_calls(call),
        "usage": [_usage(event) for event in call.usage],
        "costs": [_cost(cost) for cost in call.reported_costs],
        "transfers": _transfers(call),
        "ends": _ends(call),
        "problem_count": len(call.problems),
        "problems": [_problem(problem) for problem in in_order(call.problems, call.events.events)[:MOST_LISTED]],
    }


def _legs(call: Call) -> list[LegDetail]:
    events: dict[str, list[Event]] = {leg: [] for leg in call.legs.named()}
    if not events:
        return []
    ends = {end.event.ordering_key: end for end in call.ends.all}
    for event in call.events.events:
        if event.type in TYPES and (leg := leg_of(event)) is not None:
            events[leg].append(event)
    legs = []
    for leg, of_leg in events.items():
        line = call.legs.line(leg)
        end = ends[line.ends[-1].ordering_key] if line.over() else None
        started_at = min((given_start(start) for start in line.starts), default=None)
        legs.append(_leg(leg, of_leg, started_at, end))
    return sorted(legs, key=lambda leg: (leg["started_at"] is None, leg["started_at"] or 0, leg["leg_id"]))


def _leg(leg: str, events: Sequence[Event], started_at: int | None, end: End | None) -> LegDetail:
    duration = None
    if end is not None:
        stated = end.event.data.get("duration_ms")
        if stated is not None:
            duration = seconds(stated)
        elif started_at is not None:
            duration = seconds(max(0, end.moment - started_at))
    return {
        "leg_id": leg,
        "started_at": started_at,
        "ended_at": end.moment if end else None,
        "disconnection_reason": end.event.data.get("disconnection_reason") if end else None,
        "duration": duration,
        "from_number": _latest(events, "from_number"),
        "to_number": _latest(events, "to_number"),
        "answered_by": _latest(events, "answered_by"),
    }


def _recordings(call: Call) -> list[RecordingDetail]:
    return [
        {
            "recording_id": event.data.get("recording_id"),
            "recording_url": event.data.get("recording_url"),
            "channel": event.data.get("channel"),
            "leg_id": leg_of(event),
            "available_at": event.time,
            "duration_ms": event.data.get("duration_ms"),
            "expires_at": event.data.get("expires_at"),
        }
        for event in latest_of_each(call.events.of("recording.available"), "recording_id")
    ]


def _turn(turn: StandingTurn) -> TurnDetail:
    data, key = turn.event.data, turn.ordering_key
    detail: Json = {
        "source": key.source,
        "id": key.id,
        "turn_id": data.get("turn_id"),
        "revision": data.get("revision", 0),
        "final": data.get("final", True),
        "role": data["role"],
        "content": data["content"],
        "timestamp": turn.timestamp,
        "end_timestamp": data.get("end_timestamp"),
        "words": [whole(word) for word in data.get("words", ())],
        **{field: data.get(field) for field in _TURN_FIELDS},
    }
    return detail  # type: ignore[return-value]


def _tool_calls(call: Call) -> list[ToolCallDetail]:
    if call.tools is None:
        return []
    pairs: list[tuple[ToolEntry | None, ToolEntry | None]] = [
        (called, call.tools.results.get(called.ordering_key)) for called in call.tools.called
    ]
    pairs += [(None, result) for result in call.tools.alone()]
    pairs.sort(key=lambda pair: (pair[0] or pair[1] or ())[:2])
    return [_tool_call(*pair) for pair in pairs]


def _tool_call(called: ToolEntry | None, returned: ToolEntry | None) -> ToolCallDetail:
    result: Json = returned.event.data if returned else {}
    asked: Json = called.event.data if called else {}
    return {
        "tool_call_id": (asked if called else result).get("tool_call_id"),
        "name": asked.get("name"),
        "arguments": arguments(called.event) if called else None,
        "called_at": called.timestamp if called else None,
        "returned_at": returned.timestamp if returned else None,
        "duration_ms": result.get("duration_ms"),
        "content": as_text(result["content"]) if returned else None,
        "successful": result.get("successful"),
        "error": result.get("error"),
    }


def _usage(event: Event) -> UsageDetail:
    return {
        "source": event.ordering_key.source,
        "usage_id": event.data.get("usage_id"),
        "product": event.data["product"],
        "quantity": number(event.data["quantity"]),
        "unit": event.data.get("unit"),
    }


def _cost(cost: ReportedCost) -> CostDetail:
    data = cost.event.data
    return {
        "source": cost.event.ordering_key.source,
        "line_id": data.get("line_id"),
        "kind": data.get("kind", "charge"),
        "product": data["product"],
        "cost": _number(data.get("cost")),
        "currency": None if cost.currency == NO_CURRENCY else cost.currency,
        "quantity": _number(data.get("quantity")),
        "unit": data.get("unit"),
        "unit_price": _number(data.get("unit_price")),
        "leg_id": leg_of(cost.event),
        "counted": cost.amount is not None,
    }


def _transfers(call: Call) -> list[TransferDetail]:
    events: dict[tuple[str, str, bool], list[Event]] = {}
    for event in call.events.of("call.transferred"):
        events.setdefault(named_key(event, "transfer_id"), []).append(event)
    return [
        {
            "transfer_id": _latest(of_one, "transfer_id"),
            "destination": _latest(of_one, "destination"),
            "mode": _latest(of_one, "mode"),
            "status": _latest(of_one, "status"),
            "leg_id": _latest(of_one, "leg_id"),
            "at": of_one[0].time,
        }
        for of_one in events.values()
    ]


def _ends(call: Call) -> list[EndDetail]:
    left = {end.event.ordering_key for end in call.ends.left}
    return [
        {
            "source": end.source,
            "id": end.event.ordering_key.id,
            "moment": end.moment,
            "reason": end.event.data.get("disconnection_reason"),
            "leg_id": end.leg,
            "standing": _standing(call, end, counts=end.event.ordering_key in left),
        }
        for end in call.ends.all
    ]


def _standing(call: Call, end: End, *, counts: bool) -> str:
    ends, key = call.ends, end.event.ordering_key
    if ends.final is not None and ends.final.event.ordering_key == key:
        return "final"
    if end.inferred and not counts:
        return "inferred"
    if key in ends.undone:
        return "undone"
    if key in ends.overruled:
        return "overruled"
    return "counts" if counts else "leg"


def _problem(problem: CallProblem) -> ProblemDetail:
    event = problem.event
    named: EventName | None = None
    if event is not None:
        named = {"source": event.ordering_key.source, "id": event.ordering_key.id, "type": event.type}
    return {"kind": problem.kind.value, "event": named, "field": problem.field, "detail": problem.detail}


def _latest(events: Sequence[Event], field: str) -> Any:
    return next((value for event in reversed(events) if (value := event.data.get(field)) is not None), None)


def _number(amount: Decimal | None) -> float | None:
    return None if amount is None else number(amount)
