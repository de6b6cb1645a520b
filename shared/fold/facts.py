"""The facts of a call: who called whom, its metadata, its identifiers, its recording (docs/record.md, Fields).

What is said of a leg never hides what is said of the call: the latest value of the events that name no leg counts, else
the latest of the first leg of which one is stated.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from shared.contract.decode_event import Event
from shared.fold.events import CallEvents, is_set, leg_of
from shared.fold.record import TelephonyIds

STATING = ("call.scheduled", "call.created", "call.ringing", "call.started", "call.updated")
"""The types of events that state facts."""

_STARTING = STATING[1:]


class Facts:
    """The facts that a call's events state."""

    def __init__(self, call: CallEvents) -> None:
        self._call = call
        self._events = call.of(*STATING)

    def value(self, field: str) -> Any:
        """Return the settled value of a field, None if no event states one."""
        return _settled((event, event.data.get(field)) for event in self._events)

    def recording_url(self) -> str | None:
        events = self._events
        if "recording.available" in self._call.by_type:
            events = self._call.of(*STATING, "recording.available")
        url: str | None = _settled((event, event.data.get("recording_url")) for event in events)
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
        explicit: int | None = self._start(_STARTING)
        if explicit is not None:
            return explicit
        return self._start(STATING[:1]) if session_start is None else session_start

    def _start(self, types: Sequence[str]) -> int | None:
        stated = ((event, event.data.get("start_timestamp")) for event in self._events if event.type in types)
        start: int | None = _settled(stated)
        return start


def analysis(call: CallEvents) -> dict[str, Any] | None:
    """Return what analyses found, merged by top-level key; None without any."""
    events = call.carrying("call.analyzed")
    return _merged(events, "analysis") if events else None


def _merged(events: Sequence[Event], field: str) -> dict[str, Any]:
    """Return the settled value of each key of the objects that the events state."""
    stating = [(event, value) for event in events if (value := event.data.get(field))]
    if not stating:
        return {}
    if not any(leg_of(event) for event, _ in stating):
        return {key: value for _, stated in stating for key, value in stated.items() if is_set(value)}
    keys = {key for _, stated in stating for key, value in stated.items() if is_set(value)}
    return {key: _settled((event, stated.get(key)) for event, stated in stating) for key in sorted(keys)}


def _settled(stated: Iterable[tuple[Event, Any]]) -> Any:
    """Return the value that counts of those that events, in order, state; None if none is set."""
    of_call = first_leg = of_first_leg = None
    for event, value in stated:
        if value is None or value == "":
            continue
        leg = leg_of(event)
        if leg is None:
            of_call = value
        elif first_leg is None or leg == first_leg:
            first_leg, of_first_leg = leg, value
    return of_first_leg if of_call is None else of_call
