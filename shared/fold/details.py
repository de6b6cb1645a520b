"""The details of a call: who called whom, and when it started. The latest value of each wins."""

from typing import Any

from shared.fold.events import CallEvents, is_set
from shared.fold.record import TelephonyIds

DETAILED = ("call.scheduled", "call.created", "call.started", "call.updated")
"""The types of events that carry details."""


def detail(call: CallEvents, field: str) -> Any:
    return call.latest(field, *DETAILED)


def upper_case(value: str | None) -> str | None:
    """Return the value as the enums of the record are spelled; an unknown value is kept, in upper case."""
    return None if value is None else value.upper()


def recording_url(call: CallEvents) -> str | None:
    """Return the URL of the recording that was announced last."""
    url: str | None = call.latest("recording_url", *DETAILED, "recording.available")
    return url


def metadata(call: CallEvents) -> dict[str, Any]:
    """Return the metadata: of each top-level key the latest value."""
    merged: dict[str, Any] = {}
    for event in call.of(*DETAILED):
        merged.update({key: value for key, value in (event.data.get("metadata") or {}).items() if is_set(value)})
    return merged


def telephony_identifier(call: CallEvents) -> TelephonyIds | None:
    """Return the latest value of each of the two ids, None if neither is known."""
    found: TelephonyIds = {"call_sid": None, "conference_sid": None}
    for event in call.of(*DETAILED):
        stated = event.data.get("telephony_identifier") or {}
        found["call_sid"] = stated.get("call_sid") or found["call_sid"]
        found["conference_sid"] = stated.get("conference_sid") or found["conference_sid"]
    return found if any(found.values()) else None


def session_start(call: CallEvents) -> int | None:
    """Return the start of the session: the earliest `start_timestamp` of a `call.started`, or else its time."""
    starts = [event.data.get("start_timestamp") or event.time for event in call.of("call.started")]
    return min(starts, default=None)


def start_timestamp(call: CallEvents, session: int | None) -> int | None:
    """Return the latest explicit start, else the start of the session, else the planned one.

    An explicit start changes neither the session nor the duration.
    """
    explicit: int | None = call.latest("start_timestamp", "call.created", "call.started", "call.updated")
    if explicit is not None:
        return explicit
    planned: int | None = call.latest("start_timestamp", "call.scheduled")
    return planned if session is None else session
