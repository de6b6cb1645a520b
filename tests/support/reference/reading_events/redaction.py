"""What stays of an event of a call that opted out, implemented a second time; see `reading.py`."""

from decimal import Decimal
from fractions import Fraction
from typing import Any

from tests.support.reference.reading_events.fields import OPT_OUT

Json = dict[str, Any]

_DETAILS = "agent_id call_type direction start_timestamp metadata telephony_identifier leg_id"
_END = "disconnection_reason ended_by end_timestamp duration_ms sip_code q850_cause inferred leg_id"
_STAYS = {
    "call.scheduled": _DETAILS,
    "call.created": _DETAILS,
    "call.ringing": _DETAILS,
    "call.started": f"{_DETAILS} answered_by",
    "call.updated": f"{_DETAILS} answered_by",
    "call.classified": "answered_by leg_id",
    "call.transferred": "mode transfer_id status leg_id",
    "call.dtmf": "sensitive leg_id",
    "call.note": "leg_id",
    "call.ended": _END,
    "call.failed": _END,
    "recording.available": "recording_id channel duration_ms expires_at leg_id",
    "transcript.turn": "turn_id revision final leg_id interrupted timestamp",
    "transcript.retracted": "turn_id revision",
    "latency.sampled": "component value_ms sample_id",
    "usage.reported": "product quantity unit usage_id",
    "cost.reported": "product cost currency kind unit_price quantity unit line_id leg_id",
}


def stays(kind: str) -> set[str]:
    """Return the fields of a type that stay, the flag aside."""
    return set(_STAYS.get(kind, "").split())


def redacted(kind: str, read: Any) -> Json:
    """Return what stays of the data that was read of an event, the flag aside."""
    fields = read if isinstance(read, dict) else {}
    if kind == "transcript.turn" and words_start(fields) is not None:
        fields = {"timestamp": words_start(fields)} | fields
    return {name: fields[name] for name in _STAYS.get(kind, "").split() if name in fields}


def words_start(turn: Json) -> int | None:
    """Return the earliest start of a turn's words, None if none of them has one."""
    return min((word["start"] for word in turn.get("words", []) if word["start"] is not None), default=None)


def written(kept: Json, flag: bool | None) -> Json:
    """Return the data of the redacted event as JSON: amounts are texts of plain digits."""
    fields = {name: _digits(value) if isinstance(value, Fraction) else value for name, value in kept.items()}
    return fields | {OPT_OUT: True} if flag else fields


def _digits(amount: Fraction) -> str:
    places = Decimal(amount.numerator * 10**12 // amount.denominator).scaleb(-12)
    return f"{places.normalize():f}"
