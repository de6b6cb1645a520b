"""Whether a call has ended, how, and how long it was."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from shared.contract.decode_event import Event
from shared.fold.events import CallEvents
from shared.fold.record import CallStatus

FINAL = ("call.ended", "call.failed")
"""The types of final events."""

ACTIVITY = (
    "call.started",
    "call.transferred",
    "call.dtmf",
    "transcript.turn",
    "transcript.retracted",
    "tool.called",
    "tool.returned",
    "latency.sampled",
)
"""The types of events that make a call ONGOING."""

_GENERAL_REASONS = frozenset({"unknown", "completed", "normal_clearing", "inactivity"})


@dataclass(frozen=True, slots=True)
class End:
    """The final end, and all final events that count, sorted by ordering key."""

    final: Event
    counted: Sequence[Event]

    def stated(self, field: str) -> Any:
        """Return a field of the final end, else the latest value in any other final event that counts, or None."""
        for event in (self.final, *reversed(self.counted)):
            value = event.data.get(field)
            if value is not None:
                return value
        return None


def end_of(call: CallEvents) -> End | None:
    """Return how the call ended, or None if it has not.

    An inferred end counts only if there is no real one, and no activity at a strictly later time. Of those that count
    an end with a specific reason wins over one with a general reason, then `call.failed` over `call.ended`, then the
    latest.
    """
    finals = call.of(*FINAL)
    counted = [event for event in finals if not event.data.get("inferred")]
    if not counted:
        last_activity = max((event.time for event in call.of(*ACTIVITY)), default=0)
        counted = [event for event in finals if event.time >= last_activity]
    return End(max(counted, key=_weight), counted) if counted else None


def _weight(event: Event) -> tuple[bool, bool, Any]:
    specific = (event.data.get("disconnection_reason") or "unknown").lower() not in _GENERAL_REASONS
    return (specific, event.type == "call.failed", event.ordering_key)


def status(call: CallEvents, end: End | None) -> CallStatus:
    """Return the status. Only activity after an inferred end reopens a call."""
    if end is not None:
        return "ERROR" if end.final.type == "call.failed" else "ENDED"
    if any(kind in call.by_type for kind in ACTIVITY):
        return "ONGOING"
    if "call.scheduled" in call.by_type and "call.created" not in call.by_type:
        return "SCHEDULED"
    return "REGISTERED"


def reason(end: End | None) -> str | None:
    return end.final.data.get("disconnection_reason") if end else None


def end_timestamp(end: End | None) -> int | None:
    """Return the explicit end, else the time of the final end; None before the end."""
    if end is None:
        return None
    explicit: int | None = end.stated("end_timestamp")
    return end.final.time if explicit is None else explicit


def duration(end: End | None, session: int | None) -> float | None:
    """Return the duration in seconds; None before the end, 0 without a session: ringing does not count."""
    if end is None:
        return None
    stated: float | None = end.stated("duration_ms")
    if stated is not None:
        return seconds(stated)
    stop = end_timestamp(end)
    return 0 if session is None or stop is None else seconds(max(0, stop - session))


def duration_so_far(call: CallEvents, session: int | None) -> float:
    """Return the seconds from the start of the session to the latest event; 0 without a session."""
    return 0 if session is None else seconds(max(0, call.events[-1].time - session))


def seconds(milliseconds: float) -> float:
    """Return milliseconds as seconds, whole ones as integers: JSON shows 30 and not 30.0."""
    exact = milliseconds / 1000
    return int(exact) if exact == int(exact) else exact
