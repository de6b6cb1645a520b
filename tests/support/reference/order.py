"""Which events count and in which order, by the reference implementation; see `reference_fold.py`."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

Json = dict[str, Any]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FLAG = "opt_out_sensitive_data_storage"
_DETAILS = "agent_id call_type direction start_timestamp metadata telephony_identifier"
_END = "disconnection_reason ended_by end_timestamp duration_ms sip_code q850_cause inferred"
_STAYS = {
    "call.scheduled": _DETAILS,
    "call.created": _DETAILS,
    "call.started": _DETAILS,
    "call.updated": _DETAILS,
    "call.transferred": "mode transfer_id",
    "call.ended": _END,
    "call.failed": _END,
    "recording.available": "duration_ms",
    "latency.sampled": "component value_ms",
    "usage.reported": "product quantity unit",
    "cost.reported": "product cost unit_price line_id",
}


def in_order(events: list[Json], *, opted_out: bool) -> list[Json]:
    """Return one event per identity, the earliest first.

    Of rivals the lowest body counts. In an opted-out call only what a redaction leaves of them is compared, so that
    it does not matter whether there was one already.
    """
    counts: dict[tuple[str, str], Json] = {}
    for event in sorted(events, key=lambda event: canonical(_left(event) if opted_out else event), reverse=True):
        counts[event["source"], event["id"]] = event
    return sorted(counts.values(), key=ordering_key)


def ordering_key(event: Json) -> tuple[int, int, str, str, str]:
    """Return what orders events wherever facts are rivals."""
    sequence = _text(event.get("sequence")) or ""
    return (unix_ms(event["time"]), len(sequence), sequence, event["source"], event["id"])


def opts_out(event: Json) -> bool:
    """Return whether the event, of any type, opts the call out."""
    data = event.get("data")
    return isinstance(data, dict) and data.get(_FLAG) is True


def unix_ms(text: str) -> int:
    """Return the Unix milliseconds of an RFC 3339 time, what is finer cut off."""
    return (datetime.fromisoformat(text.upper()) - _EPOCH) // timedelta(milliseconds=1)


def canonical(event: Json) -> bytes:
    """Return the form in which two bodies under one identity are compared."""
    time = unix_ms(event["time"])
    form = {key: event.get(key) for key in ("specversion", "id", "source", "type", "subject", "organizationid", "data")}
    form["time"] = f"{_EPOCH + timedelta(milliseconds=time):%Y-%m-%dT%H:%M:%S}.{time % 1000:03}Z"
    form["sequence"] = _text(event.get("sequence"))
    return json.dumps(form, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def _left(event: Json) -> Json:
    data = event.get("data")
    stays = [*_STAYS.get(event["type"], "").split(), *([_FLAG] if opts_out(event) else [])]
    return event | {"data": {key: data[key] for key in stays if key in data} if data and stays else {}}


def _text(sequence: str | int | None) -> str | None:
    return None if sequence is None else str(sequence)
