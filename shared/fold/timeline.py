"""The timeline of a call (docs/record.md, Timeline)."""

from typing import Any

from shared.contract.decode_event import Event
from shared.contract.payloads import TYPES
from shared.fold.events import CallEvents, is_set
from shared.fold.lifecycle.duration import seconds
from shared.fold.record import TimelineEntry

_END = ("ended_by", "sip_code", "q850_cause", "inferred")
_SHOWN: dict[str, tuple[str, ...]] = {
    "call.scheduled": (),
    "call.created": (),
    "call.ringing": (),
    "call.started": ("answered_by",),
    "call.classified": ("detail",),
    "call.transferred": ("destination", "mode", "transfer_id"),
    "call.dtmf": ("digits",),
    "call.note": (),
    "call.ended": _END,
    "call.failed": (*_END, "message"),
    "recording.available": ("recording_url", "recording_id", "channel", "duration_ms", "expires_at"),
}
"""The types of the contract that have an entry, and the fields of `data` that it shows."""

_WITHOUT_ENTRY = frozenset(TYPES) - frozenset(_SHOWN)


def timeline(call: CallEvents, session_start: int | None, parties: dict[str, str | None]) -> list[TimelineEntry]:
    """Return the entries, in order.

    `parties` has the record's `direction`, `from` and `to`; "Call started" shows those that are known.
    """
    entries: list[TimelineEntry] = []
    for event in shown(call):
        since = 0 if session_start is None else seconds(max(0, event.time - session_start))
        label, data = _entry(event, parties, opted_out=call.opted_out)
        entries.append({"timestamp": event.time, "event": label, "session_time": since, "data": data})
    return entries


def shown(call: CallEvents) -> list[Event]:
    """Return the events that have an entry, in order."""
    return [event for event in call.events if event.type not in _WITHOUT_ENTRY]


def _entry(event: Event, parties: dict[str, str | None], *, opted_out: bool) -> tuple[str, dict[str, Any]]:
    if event.type not in _SHOWN:
        return event.type, {} if opted_out else _as_object(event.data)
    stated = event.data
    data = {field: stated[field] for field in _SHOWN[event.type] if is_set(stated.get(field))}
    match event.type:
        case "call.started":
            data = {name: value for name, value in parties.items() if value is not None} | data
        case "call.note":
            data = dict(stated.get("data") or {})
        case "call.dtmf" if stated.get("sensitive"):
            data = {"sensitive": True}
        case "call.ended" | "call.failed" if not data.get("inferred"):
            data.pop("inferred", None)
    if (leg := stated.get("leg_id")) is not None:
        data["leg_id"] = leg
    return _label(event, parties["direction"]), data


def _label(event: Event, direction: str | None) -> str:
    data = event.data
    match event.type:
        case "call.started":
            return _suffixed("Call started", direction)
        case "call.classified":
            return f"Answered by {data['answered_by']}" if "answered_by" in data else "Answered"
        case "call.transferred":
            status = data.get("status")
            return "Call transferred" if status in {None, "bridged"} else f"Call transfer - {status}"
        case "call.note":
            return data.get("event") or "Note"
        case "call.ended" | "call.failed" as kind:
            whose = "Call" if data.get("leg_id") is None else "Leg"
            return _suffixed(f"{whose} {kind.removeprefix('call.')}", data.get("disconnection_reason"))
        case "call.dtmf":
            return "DTMF received"
        case "recording.available":
            return "Recording available"
        case kind:
            return f"Call {kind.removeprefix('call.')}"


def _suffixed(label: str, detail: str | None) -> str:
    return f"{label} - {detail}" if detail else label


def _as_object(data: Any) -> dict[str, Any]:
    if data is None:
        return {}
    return data if isinstance(data, dict) else {"value": data}
