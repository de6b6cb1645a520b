"""The fold: from the events of a call to its record. Each group of rules is a file of this folder.

The invariant: the record depends on the set of distinct valid events of the call, on the price book and on the version
of these rules, and on nothing else: not on the order of events, on how often each was delivered, on batches or topics,
on crashes, or on which worker folded the call.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from shared.contract.decode_event import Event
from shared.contract.ids import call_key, record_id
from shared.fold.cost import RatingWarnings, TimedUsage, rate
from shared.fold.details import (
    detail,
    metadata,
    recording_url,
    session_start,
    start_timestamp,
    telephony_identifier,
    upper_case,
)
from shared.fold.ends import End, duration, duration_so_far, end_of, end_timestamp, reason, status
from shared.fold.events import CallEvents, call_events
from shared.fold.latency import percentiles
from shared.fold.prices import PriceBook
from shared.fold.record import CallCost, Percentiles, Record
from shared.fold.timeline import timeline
from shared.fold.transcript import effective_turns, transcript, with_tool_calls

RULES_VERSION = 1
"""Increased with every change of a rule that can change a record."""

_COMPONENTS = ("e2e", "asr", "llm", "llm_websocket_network_rtt", "tts", "knowledge_base", "s2s")


class NoEvents(ValueError):
    """A call without events has no record."""


@dataclass(frozen=True, slots=True)
class Folded:
    """A call's record; `events` counts the distinct ones, `conflicts` the bodies that lost to another version."""

    record: Record
    ended: bool
    events: int
    conflicts: int
    rating_warnings: RatingWarnings


def fold(events: Iterable[Event], book: PriceBook, *, opted_out: bool = False) -> Folded:
    """Return the record of the call whose events these are, in any order and repeated or not.

    Of conflicting facts the one with the greatest ordering key wins. `opted_out`: the call has opted out, even if no
    event here says so.

    Raises:
        NoEvents: `events` is empty.
    """
    call = call_events(events, opted_out=opted_out)
    if not call.events:
        raise NoEvents("a call without events has no record")
    session, end = session_start(call), end_of(call)
    cost, rating_warnings = call_cost(call, session, end, book)
    record = _record(call, session, end, cost)
    return Folded(record, end is not None, len(call.events), call.conflicts, rating_warnings)


def _record(call: CallEvents, session: int | None, end: End | None, cost: CallCost | None) -> Record:
    first = call.events[0]
    turns = effective_turns(call)
    direction = upper_case(detail(call, "direction"))
    from_number, to_number = detail(call, "from_number"), detail(call, "to_number")
    return {
        "id": record_id(call_key(first.organization_id, first.call_id)),
        "agent_id": detail(call, "agent_id"),
        "call_id": first.call_id,
        "organization_id": first.organization_id,
        "call_status": status(call, end),
        "call_type": upper_case(detail(call, "call_type")),
        "direction": direction,
        "from_number": from_number,
        "to_number": to_number,
        "start_timestamp": start_timestamp(call, session),
        "end_timestamp": end_timestamp(end),
        "call_duration": duration(end, session),
        "disconnection_reason": reason(end),
        "recording_url": recording_url(call),
        "public_log_url": detail(call, "public_log_url"),
        "opt_out_sensitive_data_storage": call.opted_out,
        "metadata": metadata(call),
        "events": timeline(call, session, {"direction": direction, "from": from_number, "to": to_number}),
        "transcript": transcript(turns),
        "transcript_object": [turn for _, _, turn in turns],
        "transcript_with_tool_calls": with_tool_calls(call, turns),
        "latency": latency(call),
        "call_analysis": call.latest("analysis", "call.analyzed"),
        "call_cost": cost,
        "telephony_identifier": telephony_identifier(call),
    }


def latency(call: CallEvents) -> dict[str, Percentiles] | None:
    """Return the percentiles of each component with samples, those of `_COMPONENTS` first; None without samples."""
    samples: dict[str, list[float]] = {}
    for event in call.carrying("latency.sampled"):
        samples.setdefault(event.data["component"], []).append(event.data["value_ms"])
    names = [*(name for name in _COMPONENTS if name in samples), *sorted(samples.keys() - set(_COMPONENTS))]
    return {name: percentiles(samples[name]) for name in names} or None


def call_cost(
    call: CallEvents, session: int | None, end: End | None, book: PriceBook
) -> tuple[CallCost | None, RatingWarnings]:
    """Return the cost by the price list in force at the start of the session, else at the earliest event.

    A call is timed if it has a session, or if a final event that counts has a `duration_ms`.
    """
    timed = session is not None or (end is not None and end.stated("duration_ms") is not None)
    ended_after = duration(end, session)
    timed_usage = TimedUsage(
        seconds=duration_so_far(call, session) if ended_after is None else ended_after,
        call_type=upper_case(detail(call, "call_type")),
        direction=upper_case(detail(call, "direction")),
    )
    price_list = book.price_list_at(call.events[0].time if session is None else session)
    usage, reported = call.carrying("usage.reported"), call.carrying("cost.reported")
    return rate(price_list, timed_usage if timed else None, usage, reported)
