"""PURE: how a call ended, and whether it has."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from shared.contract.envelope import Event
from shared.fold.events import CallEvents
from shared.fold.record import CallStatus

FINAL = ("call.ended", "call.failed")
"""The types that end a call."""

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
"""The types that make a call ONGOING."""

_GENERAL_REASONS = frozenset({"unknown", "completed", "normal_clearing", "inactivity"})


@dataclass(frozen=True, slots=True)
class End:
    """The end that decides, and the final events that count beside it, by recency."""

    final: Event
    counted: Sequence[Event]

    def stated(self, field: str) -> Any:
        """Return what the deciding end states, else the latest that another final event that counts does, or None."""
        for event in (self.final, *reversed(self.counted)):
            value = event.data.get(field)
            if value is not None:
                return value
        return None


def end_of(call: CallEvents) -> End | None:
    """Return how the call ended, or None while it goes on.

    An inferred end counts only while no real one is there and no sign of life has a strictly later time. Of those
    that count decides one with a specific reason before one with a general one, then `call.failed` before
    `call.ended`, then the latest.
    """
    finals = call.of(*FINAL)
    counted = [event for event in finals if not event.data.get("inferred")]
    if not counted:
        last_sign = max((event.time for event in call.of(*ACTIVITY)), default=0)
        counted = [event for event in finals if event.time >= last_sign]
    return End(max(counted, key=_weight), counted) if counted else None


def _weight(event: Event) -> tuple[bool, bool, Any]:
    specific = (event.data.get("disconnection_reason") or "unknown").lower() not in _GENERAL_REASONS
    return (specific, event.type == "call.failed", event.ordering_key)


def status(call: CallEvents, end: End | None) -> CallStatus:
    """Return the call's status. Nothing but a later sign of life after an inferred end reopens a call."""
    if end is not None:
        return "ERROR" if end.final.type == "call.failed" else "ENDED"
    if any(kind in call.by_type for kind in ACTIVITY):
        return "ONGOING"
    if "call.scheduled" in call.by_type and "call.created" not in call.by_type:
        return "SCHEDULED"
    return "REGISTERED"


def reason(end: End | None) -> str | None:
    """Return the deciding end's reason, as it came."""
    return end.final.data.get("disconnection_reason") if end else None


def end_timestamp(end: End | None) -> int | None:
    """Return the end that is stated explicitly; else the deciding end's time; None before the end."""
    if end is None:
        return None
    explicit: int | None = end.stated("end_timestamp")
    return end.final.time if explicit is None else explicit


def duration(end: End | None, session: int | None) -> float | None:
    """Return the call's duration in seconds; None before the end, 0 without a session: ringing is not talking."""
    if end is None:
        return None
    stated: float | None = end.stated("duration_ms")
    if stated is not None:
        return seconds(stated)
    stop = end_timestamp(end)
    return 0 if session is None or stop is None else seconds(max(0, stop - session))


def duration_so_far(call: CallEvents, session: int | None) -> float:
    """Return the seconds from the session's start to the latest time of any event; 0 without a session."""
    return 0 if session is None else seconds(max(0, call.events[-1].time - session))


def seconds(milliseconds: float) -> float:
    """Return milliseconds as seconds, whole ones as an integer, so that JSON shows 30 and not 30.0."""
    exact = milliseconds / 1000
    return int(exact) if exact == int(exact) else exact
