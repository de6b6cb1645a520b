"""Redaction: what an opted-out call keeps of its events (docs/record.md, Opt-out)."""

from decimal import Decimal
from typing import Any

import orjson

from shared.contract.decode_event import Envelope, Event, InvalidEvent, decode_logged, producer_time
from shared.contract.lenient import json_text
from shared.contract.lenient.attributes import PRODUCER_TIME
from shared.contract.lenient.data import read_opt_out
from shared.contract.lenient.sent_data import opened, sent_data
from shared.contract.payloads import OPT_OUT
from shared.contract.rejection import Refused
from shared.contract.timestamps import rfc3339
from shared.fold.conversation.turn_time import stated_time

_FACTS = (
    "agent_id",
    "call_type",
    "direction",
    "start_timestamp",
    "metadata",
    "telephony_identifier",
    "answered_by",
    "leg_id",
)
_END = (
    "disconnection_reason",
    "ended_by",
    "end_timestamp",
    "duration_ms",
    "sip_code",
    "q850_cause",
    "inferred",
    "leg_id",
)

KEPT: dict[str, tuple[str, ...]] = {
    "call.scheduled": _FACTS,
    "call.created": _FACTS,
    "call.ringing": _FACTS,
    "call.started": _FACTS,
    "call.updated": _FACTS,
    "call.classified": ("answered_by", "leg_id"),
    "call.transferred": ("mode", "transfer_id", "status", "leg_id"),
    "call.dtmf": ("sensitive", "leg_id"),
    "call.note": ("leg_id",),
    "call.ended": _END,
    "call.failed": _END,
    "recording.available": ("recording_id", "channel", "duration_ms", "expires_at", "leg_id"),
    "transcript.turn": ("turn_id", "revision", "final", "timestamp", "interrupted", "leg_id"),
    "transcript.retracted": ("turn_id", "revision"),
    "latency.sampled": ("component", "value_ms", "sample_id"),
    "usage.reported": ("product", "quantity", "unit", "usage_id"),
    "cost.reported": (
        "product",
        "cost",
        "currency",
        "kind",
        "unit_price",
        "quantity",
        "unit",
        "line_id",
        "leg_id",
    ),
}
"""The fields of `data` that an opted-out call keeps, by type; of any other type it keeps none."""

_ATTRIBUTES = (*(name for name in Envelope.__annotations__ if name != "data"), PRODUCER_TIME)
_NOTHING = b"{}"
_UNREADABLE = "-"
"""No base64: what could not be decoded is replaced by what cannot either."""


def redact(raw: bytes) -> bytes:
    """Return the event (JSON in structured mode) without private content.

    Identity, type, time, sequence, `producertime`, the opt-out flag and the fields of `KEPT` stay, written as they were
    read, so that the redacted event is read like the whole one. It gives the same when repeated. Of an event that the
    present rules find invalid its attributes and the flag stay, and it stays invalid; of what is no JSON object nothing
    does. Does not raise, whatever the log holds.
    """
    event = decode_logged(raw, redacted_at=1)
    if isinstance(event, InvalidEvent):
        return _stripped(raw)
    key = event.ordering_key
    body = {
        "specversion": "1.0",
        "id": key.id,
        "source": key.source,
        "type": event.type,
        "subject": event.call_id,
        "time": rfc3339(event.time),
        "organizationid": event.organization_id,
    }
    if key.sequence:
        body["sequence"] = key.sequence
    producertime = producer_time(raw) if event.has_wrong_clock else None
    if producertime is not None:
        body["producertime"] = producertime
    return orjson.dumps({**body, "data": _kept(event)}, default=_as_text)


def _kept(event: Event) -> dict[str, Any]:
    data = event.data
    kept = {field: data[field] for field in KEPT.get(event.type, ()) if field in data}
    if event.type == "transcript.turn" and (timestamp := stated_time(data)) is not None:
        kept["timestamp"] = timestamp
    if event.opts_out:
        kept[OPT_OUT] = True
    return kept


def _stripped(raw: bytes) -> bytes:
    try:
        parsed = json_text.parse(raw)
    except ValueError:
        return _NOTHING
    body = parsed.value
    if not isinstance(body, dict) or not body:
        return _NOTHING
    kept = {name: body[name] for name in _ATTRIBUTES if name in body and not isinstance(body[name], dict | list)}
    try:
        opts_out, _ = read_opt_out(opened(sent_data(parsed)).value)
    except Refused:
        return orjson.dumps({**kept, "data_base64": _UNREADABLE})
    return orjson.dumps({**kept, "data": {OPT_OUT: True} if opts_out else {}})


def _as_text(value: Any) -> str:
    if not isinstance(value, Decimal):
        raise TypeError(f"no JSON: {type(value)}")
    return f"{value.normalize():f}"
