"""The timeline of a call."""

from typing import Any

from shared.contract.decode_event import Event
from shared.contract.payloads import TYPES
from shared.fold.ends import seconds
from shared.fold.events import CallEvents
from shared.fold.record import TimelineEntry

_WITHOUT_ENTRY = frozenset(TYPES) - {
    "call.scheduled",
    "call.created",
    "call.started",
    "call.transferred",
    "call.dtmf",
    "call.note",
    "call.ended",
    "call.failed",
    "recording.available",
}
_ENDED = ("ended_by", "sip_code", "q850_cause", "inferred")


def timeline(call: CallEvents, session: int | None, parties: dict[str, str | None]) -> list[TimelineEntry]:
    """Return the entries, sorted by ordering key.

    `parties` has the record's `direction`, `from` and `to`; "Call started" shows those that are known.
    """
    entries: list[TimelineEntry] = []
    for event in call.events:
        if event.type not in _WITHOUT_ENTRY:
            label, data = _entry(event, parties)
            since = 0 if session is None else seconds(max(0, event.time - session))
            entries.append({"timestamp": event.time, "event": label, "session_time": since, "data": data})
    return entries


def _entry(event: Event, parties: dict[str, str | None]) -> tuple[str, dict[str, Any]]:
    data = event.data
    match event.type:
        case "call.scheduled":
            return "Call scheduled", {}
        case "call.created":
            return "Call created", {}
        case "call.started":
            return _labelled("Call started", parties["direction"]), _present(parties, *parties)
        case "call.transferred":
            return "Call transferred", _present(data, "destination", "mode", "transfer_id")
        case "call.dtmf":
            return "DTMF received", _present(data, "digits")
        case "call.note":
            return data.get("event") or "Note", data.get("data") or {}
        case "call.ended":
            return _labelled("Call ended", data.get("disconnection_reason")), _end(data, *_ENDED)
        case "call.failed":
            return _labelled("Call failed", data.get("disconnection_reason")), _end(data, *_ENDED, "message")
        case "recording.available":
            return "Recording available", _present(data, "duration_ms")
        case unknown:
            return unknown, _as_object(data)


def _labelled(label: str, detail: str | None) -> str:
    return f"{label} - {detail}" if detail else label


def _present(data: dict[str, Any], *fields: str) -> dict[str, Any]:
    return {field: data[field] for field in fields if data.get(field) is not None}


def _end(data: dict[str, Any], *fields: str) -> dict[str, Any]:
    present = _present(data, *fields)
    if not present.get("inferred"):
        present.pop("inferred", None)
    return present


def _as_object(data: Any) -> dict[str, Any]:
    if data is None:
        return {}
    return data if isinstance(data, dict) else {"value": data}
