"""What stands in a record's lists, by the reference implementation; see `reference_fold.py`."""

import json
from typing import Any

from tests.support.reference.order import unix_ms

Json = dict[str, Any]

WITHOUT_ENTRY = {
    "call.updated",
    "transcript.turn",
    "transcript.retracted",
    "tool.called",
    "tool.returned",
    "latency.sampled",
    "usage.reported",
    "cost.reported",
    "call.analyzed",
}
_LABELS = {
    "call.scheduled": "Call scheduled",
    "call.created": "Call created",
    "call.transferred": "Call transferred",
    "call.dtmf": "DTMF received",
    "recording.available": "Recording available",
}
_CARRIED = {
    "call.transferred": ("destination", "mode", "transfer_id"),
    "call.dtmf": ("digits",),
    "call.ended": ("ended_by", "sip_code", "q850_cause", "inferred"),
    "call.failed": ("ended_by", "sip_code", "q850_cause", "inferred", "message"),
    "recording.available": ("duration_ms",),
}
_HIDDEN = ("destination", "digits", "message")
OF_THE_CONTRACT = {*WITHOUT_ENTRY, *_CARRIED, *_LABELS, "call.started", "call.note"}


def entry(kind: str, sent: Any, settled: Json, *, opted_out: bool) -> tuple[str, Json]:
    """Return the label and the data of an event's timeline entry; `settled` is what "Call started" may tell."""
    if kind not in OF_THE_CONTRACT:
        whole: Json = sent if isinstance(sent, dict) else {} if sent is None else {"value": sent}
        return kind, {} if opted_out else whole
    data = without_null(sent)
    if kind == "call.started":
        suffix = "" if settled["direction"] is None else f" - {settled['direction']}"
        return "Call started" + suffix, without_null(settled)
    if kind == "call.note":
        return ("Note", {}) if opted_out else (data["event"], data.get("data", {}))
    hidden = _HIDDEN if opted_out else ()
    carried = {key: data[key] for key in _CARRIED.get(kind, ()) if key in data and key not in hidden}
    if carried.get("inferred") is False:
        del carried["inferred"]
    return _LABELS.get(kind) or f"Call {kind.removeprefix('call.')} - {data['disconnection_reason']}", carried


def _as_text(value: Any) -> str:
    if isinstance(value, str):
        return value
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def without_null(fields: Json | None) -> Json:
    """Return the fields that are there: null is absent."""
    return {key: value for key, value in (fields or {}).items() if value is not None}


def turn_entry(event: Json) -> Json:
    """Return the entry of a turn that stands."""
    data = event["data"]
    words = [
        {"word": word["word"], "start": _whole(word.get("start")), "end": _whole(word.get("end"))}
        for word in data.get("words") or []
    ]
    spoken = [_whole(data.get("timestamp")), *(word["start"] for word in words[:1]), unix_ms(event["time"])]
    return {
        "role": "assistant" if data["role"] == "agent" else data["role"],
        "content": data["content"],
        "timestamp": next(time for time in spoken if time is not None),
        "words": words,
    }


def tool_entry(kind: str, time: int, data: Json) -> Json:
    """Return the entry of a tool's call or answer."""
    if kind == "tool.called":
        return {
            "role": "tool_call_invocation",
            "tool_call_id": data["tool_call_id"],
            "name": data["name"],
            "arguments": _as_text(data.get("arguments", {})),
            "timestamp": time,
        }
    return {
        "role": "tool_call_result",
        "tool_call_id": data["tool_call_id"],
        "content": _as_text(data["content"]),
        "successful": data.get("successful"),
        "timestamp": time,
    }


def _whole(timestamp: float | None) -> int | None:
    return None if timestamp is None else int(timestamp)


def percentiles(values: list[float]) -> Json:
    """Return what the samples of a component amount to."""
    x, n = sorted(values), len(values)

    def at(q: float) -> float:
        h = (n - 1) * q
        i = int(h)
        return round(float(x[i] + (h - i) * (x[min(i + 1, n - 1)] - x[i])), 6)

    ranks = {"p50": at(0.5), "p90": at(0.9), "p95": at(0.95), "p99": at(0.99)}
    return {"max": x[-1], "min": x[0], "num": n, **ranks, "values": values}
