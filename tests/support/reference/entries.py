"""The entries of a record's lists: timeline, turns, tools, latency, implemented a second time; see `fold.py`."""

import json
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from tests.support.reference.events import Json, Order, leg_of, of_type, own_key
from tests.support.reference.order import ordering_key
from tests.support.reference.talk import revision, turn_time

WITHOUT_ENTRY = (
    "call.updated",
    "transcript.turn",
    "transcript.retracted",
    "tool.called",
    "tool.returned",
    "latency.sampled",
    "usage.reported",
    "cost.reported",
    "call.analyzed",
)
_OF_AN_END = ("ended_by", "sip_code", "q850_cause", "inferred")
_OF_A_RECORDING = ("recording_url", "recording_id", "channel", "duration_ms", "expires_at")


def timeline_entry(event: Json, parties: Json, *, opted_out: bool) -> tuple[str, Json]:
    """Return label and data of an event's entry; `parties` has the settled `direction`, `from` and `to` that are known.

    Each entry of an event that names a leg has `leg_id` too.
    """
    label, data = _label_and_data(event, parties, opted_out=opted_out)
    leg = leg_of(event)
    return label, data if leg is None else data | {"leg_id": leg}


def _label_and_data(event: Json, parties: Json, *, opted_out: bool) -> tuple[str, Json]:
    data = event["data"]
    match event["type"]:
        case "call.scheduled" | "call.created" | "call.ringing" as kind:
            return f"Call {kind.removeprefix('call.')}", {}
        case "call.started":
            suffix = f" - {parties['direction']}" if "direction" in parties else ""
            return f"Call started{suffix}", parties | _those(data, "answered_by")
        case "call.classified":
            return f"Answered by {data['answered_by']}", _those(data, "detail")
        case "call.ended" | "call.failed":
            return _end_entry(event)
        case "call.transferred":
            status = data.get("status", "bridged")
            label = "Call transferred" if status == "bridged" else f"Call transfer - {status}"
            return label, _those(data, "destination", "mode", "transfer_id")
        case "call.dtmf":
            return "DTMF received", {"sensitive": True} if data.get("sensitive") else _those(data, "digits")
        case "recording.available":
            return "Recording available", _those(data, *_OF_A_RECORDING)
        case "call.note":
            return ("Note", {}) if opted_out else (data["event"], data.get("data", {}))
        case unknown:
            return unknown, {} if opted_out or data is None else data if isinstance(data, dict) else {"value": data}


def _end_entry(event: Json) -> tuple[str, Json]:
    """`Call ended - <reason>`, `Leg ended - <reason>` and the same with `failed`; `inferred` only if true."""
    thing = "Call" if leg_of(event) is None else "Leg"
    fields = (*_OF_AN_END, "message") if event["type"] == "call.failed" else _OF_AN_END
    shown = _those(event["data"], *fields)
    if not shown.get("inferred"):
        shown.pop("inferred", None)
    return f"{thing} {event['type'].removeprefix('call.')} - {event['data']['disconnection_reason']}", shown


def _those(data: Json, *fields: str) -> Json:
    return {field: data[field] for field in fields if data.get(field) is not None}


def turn_words(turn: Json) -> list[Json]:
    words = turn["data"].get("words") or []
    return [{"word": word["word"], "start": word.get("start"), "end": word.get("end")} for word in words]


def turn_entry(turn: Json) -> Json:
    data = turn["data"]
    return {
        "role": data["role"],
        "content": data["content"],
        "timestamp": turn_time(turn),
        "words": turn_words(turn),
    }


@dataclass(frozen=True, eq=False)
class Tool:
    """A `tool.called` or `tool.returned` that stands; compared by identity."""

    event: Json

    @property
    def is_call(self) -> bool:
        return bool(self.event["type"] == "tool.called")

    @property
    def stated_id(self) -> str | None:
        stated: str | None = self.event["data"].get("tool_call_id")
        return stated

    @property
    def timestamp(self) -> int:
        """An entry's `timestamp` is what it states, else its time."""
        timestamp: int = self.event["data"].get("timestamp", self.event["time"])
        return timestamp

    @cached_property
    def key(self) -> tuple[int, Order]:
        return (self.timestamp, ordering_key(self.event))

    @property
    def arguments(self) -> str:
        """No arguments are `"{}"`."""
        return as_text(self.event["data"].get("arguments", {}))

    @property
    def entry(self) -> Json:
        data = self.event["data"]
        named = {"tool_call_id": self.event["id"] if self.stated_id is None else self.stated_id}
        if self.is_call:
            invoked = {"name": data["name"], "arguments": self.arguments}
            return {"role": "tool_call_invocation", **named, **invoked, "timestamp": self.timestamp}
        returned = {"content": as_text(data["content"]), "successful": data.get("successful")}
        return {"role": "tool_call_result", **named, **returned, "timestamp": self.timestamp}


def as_text(value: Any) -> str:
    """What came as an object or list is written as JSON, keys sorted, no spaces."""
    if isinstance(value, str):
        return value
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def standing_tools(events: list[Json]) -> list[Tool]:
    """Each is an entry of its own, unless it states a `revision`: then of one source, id and type the highest stands.

    Sorted by `(timestamp, order)`.
    """
    tools = of_type(events, "tool.called", "tool.returned")
    alone = [event for event in tools if event["data"].get("revision") is None]
    highest: dict[Any, Json] = {}
    for event in sorted(tools, key=lambda event: (revision(event), ordering_key(event))):
        if event["data"].get("revision") is not None:
            highest[event["type"], own_key(event, "tool_call_id")] = event
    return sorted((Tool(event) for event in [*alone, *highest.values()]), key=lambda tool: tool.key)


def pair(tools: list[Tool]) -> list[tuple[Tool | None, Tool | None]]:
    """Return each call with its result, and results that belong to no call.

    A result belongs to the latest call of its id that is not after it and has no result yet, else to the earliest after
    it that has none, else to none. Results are taken by `(timestamp, order)`.
    """
    calls = [tool for tool in tools if tool.is_call]
    result_of: dict[Tool, Tool] = {}
    alone = []
    for result in (tool for tool in tools if not tool.is_call):
        free = [call for call in _calls_of_its_id(result, calls) if call not in result_of]
        before = [call for call in free if call.key <= result.key]
        after = [call for call in free if call.key > result.key]
        if before or after:
            result_of[before[-1] if before else after[0]] = result
        else:
            alone.append(result)
    pairs: list[tuple[Tool | None, Tool | None]] = [(call, result_of.get(call)) for call in calls]
    return sorted([*pairs, *((None, result) for result in alone)], key=lambda pair: (pair[0] or pair[1]).key)  # type: ignore[union-attr]


def _calls_of_its_id(result: Tool, calls: list[Tool]) -> list[Tool]:
    """Of the result's own source if that has a call of its id, else of another; none where an id was left out."""
    same = [call for call in calls if result.stated_id is not None and call.stated_id == result.stated_id]
    own = [call for call in same if call.event["source"] == result.event["source"]]
    return own or same


def turns_with_tools(turns: list[Json], tools: list[Tool]) -> list[Json]:
    """`[]` while there was no tool event; else all by `(timestamp, order)`, but a result never before its call."""
    entries = {((turn_time(turn), ordering_key(turn)), 0): turn_entry(turn) for turn in turns}
    for call, result in pair(tools):
        if call is not None:
            entries[call.key, 0] = call.entry
        if result is not None:
            behind_its_call = call is not None and call.key > result.key
            entries[(call.key, 1) if call is not None and behind_its_call else (result.key, 0)] = result.entry
    return [entries[place] for place in sorted(entries)] if tools else []


def percentiles(values: list[float]) -> Json:
    """Linear interpolation between closest ranks (R type 7), each rounded to 6 places; `values` in order."""
    x, n = sorted(values), len(values)

    def at(q: float) -> float:
        h = (n - 1) * q
        i = int(h)
        return round(float(x[i] + (h - i) * (x[min(i + 1, n - 1)] - x[i])), 6)

    ranks = {"p50": at(0.5), "p90": at(0.9), "p95": at(0.95), "p99": at(0.99)}
    return {"max": x[-1], "min": x[0], "num": n, **ranks, "values": values}
