"""The facts of a call: who called whom, its metadata, its identifiers, its recording (docs/record.md, Fields).

What is said of a leg never hides what is said of the call: the latest value of the events that name no leg counts, else
the latest of the first leg of which one is stated.
"""

from collections.abc import Sequence
from typing import Any

from shared.contract.decode_event import Event
from shared.fold.events import CallEvents, is_set, leg_of
from shared.fold.record import TelephonyIds

STATING = ("call.scheduled", "call.created", "call.ringing", "call.started", "call.updated")
"""The types of events that state facts."""

_PLANNING = "call.scheduled"


class Facts:
    """The facts that a call's events state."""

    def __init__(self, call: CallEvents) -> None:
        self._call = call
        self._events = call.of(*STATING)

    def value(self, field: str) -> Any:
        """Return the settled value of a field, None if no event states one."""
        return _settled(self._events, field)

    def recording_url(self) -> str | None:
        events = self._events
        if "recording.available" in self._call.by_type:
            events = self._call.of(*STATING, "recording.available")
        url: str | None = _settled(events, "recording_url")
        return url

    def metadata(self) -> dict[str, Any]:
        return _merged(self._events, "metadata")

    def telephony_identifier(self) -> TelephonyIds | None:
        """Return the latest of each of the two ids, None if neither is known."""
        found = _merged(self._events, "telephony_identifier")
        return {"call_sid": found.get("call_sid"), "conference_sid": found.get("conference_sid")} if found else None

    def start_timestamp(self, session_start: int | None) -> int | None:
        """Return the latest explicit start, else the start of the session, else the planned one (Unix milliseconds).

        An explicit start changes neither the session nor the duration.
        """
        planned = self._call.of(_PLANNING)
        real = [event for event in self._events if event.type != _PLANNING] if planned else self._events
        explicit: int | None = _settled(real, "start_timestamp")
        if explicit is not None or session_start is not None:
            return session_start if explicit is None else explicit
        start: int | None = _settled(planned, "start_timestamp")
        return start


def analysis(call: CallEvents) -> dict[str, Any] | None:
    """Return what analyses found, merged by top-level key; None without any."""
    return _merged(call.carrying("call.analyzed"), "analysis") or None


def _merged(events: Sequence[Event], field: str) -> dict[str, Any]:
    """Return the settled value of each key of the objects that the events state."""
    merged: dict[str, Any] = {}
    of_legs: list[Event] = []
    for event in events:
        if stated := event.data.get(field):
            if "leg_id" in event.data:
                of_legs.append(event)
            else:
                merged.update({key: value for key, value in stated.items() if is_set(value)})
    first_leg: dict[str, str | None] = {}
    for event in of_legs:
        for key, value in event.data[field].items():
            if not is_set(value) or (key in merged and key not in first_leg):
                continue
            if first_leg.setdefault(key, leg_of(event)) == leg_of(event):
                merged[key] = value
    return merged


def _settled(events: Sequence[Event], field: str) -> Any:
    """Return the value that counts of those that events, in order, state; None if none is set."""
    of_legs: dict[str, Any] = {}
    first_leg = None
    for event in reversed(events):
        data = event.data
        value = data.get(field)
        if value is not None and value != "":
            first_leg = data.get("leg_id")
            if first_leg is None:
                return value
            of_legs.setdefault(first_leg, value)
    return None if first_leg is None else of_legs[first_leg]
