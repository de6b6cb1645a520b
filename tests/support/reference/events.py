"""What every rule asks of an event, and the record's fields that are the latest of what events state; see `fold.py`.

An event is one of `reading.ReadCall.events`: `type`, `source`, `id`, `time` (Unix milliseconds), `sequence` (text,
empty if none) and `data` as read. Lists of events are in order.
"""

from collections.abc import Callable, Iterable
from typing import Any

from tests.support.reference.order import ordering_key

Json = dict[str, Any]
Order = tuple[int, int, str, str, int, str]

DETAIL_TYPES = ("call.scheduled", "call.created", "call.ringing", "call.started", "call.updated")
STARTING_TYPES = ("call.created", "call.ringing", "call.started", "call.updated")
END_TYPES = ("call.ended", "call.failed")
ACTIVITY_TYPES = (
    "call.started",
    "call.transferred",
    "call.dtmf",
    "transcript.turn",
    "transcript.retracted",
    "tool.called",
    "tool.returned",
    "latency.sampled",
)
LEG_TYPES = (
    *DETAIL_TYPES,
    *END_TYPES,
    "call.classified",
    "call.transferred",
    "call.dtmf",
    "call.note",
    "recording.available",
    "transcript.turn",
    "cost.reported",
)


def of_type(events: Iterable[Json], *types: str) -> list[Json]:
    return [event for event in events if event["type"] in types]


def leg_of(event: Json) -> str | None:
    """Legs. `leg_id` names a leg of the call, on every type of the lifecycle table, on turns and on costs."""
    leg: str | None = event["data"].get("leg_id") if event["type"] in LEG_TYPES else None
    return leg


def own_key(event: Json, field: str) -> tuple[str, str, str]:
    """Ids inside `data` are the source's own; an event without one is a thing of its own, which no other can name."""
    stated = event["data"].get(field)
    return (event["source"], "event", event["id"]) if stated is None else (event["source"], field, stated)


def latest_of_each(events: Iterable[Json], key: Callable[[Json], Any]) -> list[Json]:
    """Of the events with one key the latest stands; in order."""
    standing = {key(event): event for event in sorted(events, key=ordering_key)}
    return sorted(standing.values(), key=ordering_key)


def is_set(value: Any) -> bool:
    """A field that an event lacks, gives as null or as an empty text does not compete."""
    return value is not None and value != ""


def latest(events: Iterable[Json], field: str) -> Any:
    """Return the latest value of a field of `data` that is set, None without any."""
    stated = [event for event in sorted(events, key=ordering_key) if is_set(event["data"].get(field))]
    return stated[-1]["data"][field] if stated else None


def settled(events: Iterable[Json], value_of: Callable[[Json], Any]) -> Any:
    """The latest value that an event states which names no leg; else the latest of the first leg that states it.

    The first leg is that of the earliest event that names a leg and states the field. None without any.
    """
    stated = [event for event in sorted(events, key=ordering_key) if is_set(value_of(event))]
    of_the_call = [event for event in stated if leg_of(event) is None]
    of_the_first_leg = [event for event in stated if leg_of(event) == leg_of(stated[0])]
    chosen = of_the_call or of_the_first_leg
    return value_of(chosen[-1]) if chosen else None


def settled_field(events: list[Json], field: str) -> Any:
    """A field is taken only from the types whose row in the contract lists it."""
    types = (*DETAIL_TYPES, "recording.available") if field == "recording_url" else DETAIL_TYPES
    return settled(of_type(events, *types), lambda event: event["data"].get(field))


def settled_object(events: list[Json], field: str) -> Json:
    """Merge `metadata` or `telephony_identifier`: each key as a field of its own; what nothing sets is absent."""
    stating = [event for event in of_type(events, *DETAIL_TYPES) if event["data"].get(field)]
    keys = {key for event in stating for key in event["data"][field]}
    merged = {key: settled(stating, lambda event, key=key: event["data"][field].get(key)) for key in keys}  # type: ignore[misc]
    return {key: value for key, value in merged.items() if is_set(value)}


def telephony_identifier(events: list[Json]) -> Json | None:
    """`{call_sid, conference_sid}`, the latest of each, null for a missing one; null when neither is known."""
    known = settled_object(events, "telephony_identifier")
    return {key: known.get(key) for key in ("call_sid", "conference_sid")} if known else None


def call_analysis(events: list[Json]) -> Json | None:
    """The `analysis` objects merged by top-level key, the latest value of each; null when none."""
    merged: Json = {}
    for event in of_type(events, "call.analyzed"):
        merged |= {key: value for key, value in event["data"].get("analysis", {}).items() if is_set(value)}
    return merged or None


def start_timestamp(events: list[Json], session: int | None) -> int | None:
    """The latest explicit one of created, ringing, started, updated; else the session's; else that of scheduled."""
    explicit = settled(of_type(events, *STARTING_TYPES), lambda event: event["data"].get("start_timestamp"))
    planned = settled(of_type(events, "call.scheduled"), lambda event: event["data"].get("start_timestamp"))
    return next((start for start in (explicit, session, planned) if start is not None), None)
