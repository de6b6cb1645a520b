"""The details of a call (docs/record.md, Details), implemented a second time; see `fold.py`."""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from tests.support.reference.cost import Book, Charge, as_number, standing_usage
from tests.support.reference.ends import Ends
from tests.support.reference.entries import Tool, as_text, pair, standing_tools, turn_words
from tests.support.reference.events import (
    DETAIL_TYPES,
    Json,
    latest,
    latest_of_each,
    leg_of,
    of_type,
    own_key,
)
from tests.support.reference.fold import Call
from tests.support.reference.problems import problems_of
from tests.support.reference.reading_events.reading import read_call
from tests.support.reference.reading_events.values import NO_CURRENCY
from tests.support.reference.talk import revision, start_of, turn_time

_MOST_PROBLEMS = 100
_ANSWERING_TYPES = ("call.started", "call.updated", "call.classified")


def reference_details(bodies: Iterable[bytes | Json], book: Book, *, opted_out: bool = False) -> Json:
    """Return the details of a call from the bodies of its events, which the log has.

    Without `finality`, `rules_version` and `price_book_version`; problems have no sentence.
    """
    call = Call(read_call(bodies, opted_out=opted_out), book)
    problems = problems_of(call)
    return {
        "call_id": call.events[0]["call"],
        "organization_id": call.events[0]["organization"],
        "event_count": call.read.event_count,
        "conflict_count": call.read.conflict_count,
        "legs": _legs(call.ends),
        "recordings": [_recording(event) for event in _standing_recordings(call.events)],
        "turns": [_turn(turn) for turn in call.turns],
        "tool_calls": [] if call.read.opted_out else _tool_calls(call.events),
        "usage": [_usage(event) for event in standing_usage(call.events)],
        "costs": [_cost(charge) for charge in call.cost.charges],
        "transfers": _transfers(call.events),
        "ends": _ends(call.ends),
        "problems": problems[:_MOST_PROBLEMS],
        "problem_count": len(problems),
    }


def _stated(event: Json, *fields: str) -> Json:
    return {field: event["data"].get(field) for field in fields}


def _legs(ends: Ends) -> list[Json]:
    """Every leg that an event names, by `(started_at, leg_id)`, those without a start last."""
    legs = [_leg(ends, leg) for leg in ends.connections.legs]
    return sorted(legs, key=lambda leg: (leg["started_at"] is None, leg["started_at"] or 0, leg["leg_id"]))


def _leg(ends: Ends, leg: str) -> Json:
    """`ended_at`, `disconnection_reason` and `duration` only when it is over, of its latest end."""
    events = [event for event in ends.events if leg_of(event) == leg]
    started_at = min((start_of(start) for start in of_type(events, "call.started")), default=None)
    end = ends.connections.ends_of_leg(leg)[-1] if ends.connections.leg_is_over(leg) else None
    return {
        "leg_id": leg,
        "started_at": started_at,
        "ended_at": end.moment if end else None,
        "disconnection_reason": end.reason if end else None,
        "duration": _leg_duration(started_at, end.moment, end.duration_ms) if end else None,
        "from_number": latest(of_type(events, *DETAIL_TYPES), "from_number"),
        "to_number": latest(of_type(events, *DETAIL_TYPES), "to_number"),
        "answered_by": latest(of_type(events, *_ANSWERING_TYPES), "answered_by"),
    }


def _leg_duration(started_at: int | None, ended_at: int, stated: int | None) -> float | None:
    """In seconds: that end's `duration_ms`, else `ended_at` minus `started_at`, never below 0."""
    if stated is not None:
        return stated / 1000
    return None if started_at is None else max(0, ended_at - started_at) / 1000


def _standing_recordings(events: list[Json]) -> list[Json]:
    """Of each source and `recording_id` (without one: each event) the latest, in order."""
    return latest_of_each(of_type(events, "recording.available"), lambda event: own_key(event, "recording_id"))


def _recording(event: Json) -> Json:
    stated = _stated(event, "recording_id", "recording_url", "channel", "leg_id", "duration_ms", "expires_at")
    return stated | {"available_at": event["time"]}


def _turn(turn: Json) -> Json:
    stated = _stated(turn, "turn_id", "role", "content", "end_timestamp", "interrupted", "speaker", "channel")
    others = _stated(turn, "language", "confidence", "leg_id", "metadata")
    return {
        "source": turn["source"],
        "id": turn["id"],
        "revision": revision(turn),
        "final": turn["data"].get("final", True),
        "timestamp": turn_time(turn),
        "words": turn_words(turn),
        **stated,
        **others,
    }


def _tool_calls(events: list[Json]) -> list[Json]:
    """A call with its result; a result that belongs to none stands alone. By `(timestamp, order)`."""
    return [_tool_call(call, result) for call, result in pair(standing_tools(events))]


def _tool_call(call: Tool | None, result: Tool | None) -> Json:
    first = call or result
    returned: Json = result.event["data"] if result else {}
    return {
        "tool_call_id": first.stated_id if first else None,
        "name": call.event["data"]["name"] if call else None,
        "arguments": call.arguments if call else None,
        "called_at": call.timestamp if call else None,
        "returned_at": result.timestamp if result else None,
        "duration_ms": returned.get("duration_ms"),
        "content": as_text(returned["content"]) if result else None,
        "successful": returned.get("successful"),
        "error": returned.get("error"),
    }


def _usage(event: Json) -> Json:
    stated = _stated(event, "usage_id", "product", "unit")
    return stated | {"source": event["source"], "quantity": float(event["data"]["quantity"])}


def _cost(charge: Charge) -> Json:
    """A standing line, its amounts as stated; `counted` is false where it was left out."""
    data = charge.event["data"]
    amounts = {name: as_number(data.get(name)) for name in ("cost", "quantity", "unit_price")}
    return {
        "source": charge.event["source"],
        "kind": charge.kind,
        "currency": None if charge.currency == NO_CURRENCY else charge.currency,
        "counted": charge.amount is not None,
        **_stated(charge.event, "line_id", "product", "unit", "leg_id"),
        **amounts,
    }


def _transfers(events: list[Json]) -> list[Json]:
    """Of each source and `transfer_id` (without one: each event) the latest of each, `at` the first event's time."""
    transfers: dict[Any, list[Json]] = defaultdict(list)
    for event in of_type(events, "call.transferred"):
        transfers[own_key(event, "transfer_id")].append(event)
    fields = ("transfer_id", "destination", "mode", "status", "leg_id")
    return [{field: latest(same, field) for field in fields} | {"at": same[0]["time"]} for same in transfers.values()]


def _ends(ends: Ends) -> list[Json]:
    return [
        {
            "source": end.source,
            "id": end.event["id"],
            "moment": end.moment,
            "reason": end.reason,
            "leg_id": end.leg,
            "standing": ends.standing(end),
        }
        for end in ends.all
    ]
