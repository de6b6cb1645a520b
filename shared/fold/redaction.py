"""Redaction: what an opted-out call keeps of its events."""

from typing import Any

import orjson

from shared.contract.decode_event import Envelope, Event
from shared.contract.payloads import OPT_OUT

_DETAILS = ("agent_id", "call_type", "direction", "start_timestamp", "metadata", "telephony_identifier")
_END = ("disconnection_reason", "ended_by", "end_timestamp", "duration_ms", "sip_code", "q850_cause", "inferred")

KEPT: dict[str, tuple[str, ...]] = {
    "call.scheduled": _DETAILS,
    "call.created": _DETAILS,
    "call.started": _DETAILS,
    "call.updated": _DETAILS,
    "call.transferred": ("mode", "transfer_id"),
    "call.ended": _END,
    "call.failed": _END,
    "recording.available": ("duration_ms",),
    "latency.sampled": ("component", "value_ms"),
    "usage.reported": ("product", "quantity", "unit"),
    "cost.reported": ("product", "cost", "unit_price", "line_id"),
}
"""The fields of `data` that an opted-out call keeps, by type; of any other type it keeps none."""


def without_content(event: Event) -> Event:
    """Return the event without private content; `raw` stays unchanged."""
    return event._replace(data=_kept(event.type, event.data))


def redact(raw: bytes) -> bytes:
    """Return the event (JSON in structured mode) without private content.

    Attributes, the opt-out flag and the fields of `KEPT` stay. If `data` is not an object, no field of it stays.

    Raises:
        orjson.JSONDecodeError: `raw` is not JSON.
    """
    body = orjson.loads(raw)
    data = body.get("data")
    try:
        kept = _kept(body["type"], data)
    except (TypeError, KeyError, AttributeError):
        kept = {}
    if isinstance(data, dict) and data.get(OPT_OUT) is True:
        kept[OPT_OUT] = True
    envelope = {name: body[name] for name in Envelope.__annotations__ if name in body}
    return orjson.dumps({**envelope, "data": kept})


def _kept(kind: str, data: Any) -> dict[str, Any]:
    return {field: data[field] for field in KEPT.get(kind, ()) if field in data} if data else {}
