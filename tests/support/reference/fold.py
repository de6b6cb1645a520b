"""The reference implementation of the record's rules: written for clarity, not speed, without the fold's code.

Everything is sorted first and then applied one by one, so that whatever comes later overwrites: "the latest" needs no
comparison. It works on plain CloudEvents; that they are valid is taken for granted.
"""

import json
import uuid
from collections.abc import Iterable
from fractions import Fraction
from typing import Any

from tests.support.reference.cost import Book, reference_cost
from tests.support.reference.entries import (
    OF_THE_CONTRACT,
    WITHOUT_ENTRY,
    entry,
    percentiles,
    tool_entry,
    turn_entry,
    without_null,
)
from tests.support.reference.order import in_order, opts_out, ordering_key, unix_ms

Json = dict[str, Any]

_NAMESPACE = uuid.UUID("3c9a1c0e-8a83-5d5b-9c0b-6f3f0a6f1d42")
_DETAIL_FIELDS = {
    "agent_id",
    "call_type",
    "direction",
    "from_number",
    "to_number",
    "public_log_url",
    "recording_url",
    "metadata",
    "telephony_identifier",
}
_SIGNS_OF_LIFE = {
    "call.started",
    "call.transferred",
    "call.dtmf",
    "transcript.turn",
    "transcript.retracted",
    "tool.called",
    "tool.returned",
    "latency.sampled",
}
_STATES = {"recording.available": ("recording_url", "recording_url"), "call.analyzed": ("call_analysis", "analysis")}
_PRIVATE_FIELDS = ("from_number", "to_number", "public_log_url", "recording_url", "call_analysis")
_GENERAL_REASONS = ("unknown", "completed", "normal_clearing", "inactivity")


def reference_fold(bodies: Iterable[Json | bytes], book: Book) -> Json:
    """Return the record of the call that `bodies`, CloudEvents as objects or as JSON, belong to."""
    events = [body if isinstance(body, dict) else json.loads(body) for body in bodies]
    opted_out = any(opts_out(event) for event in events)
    return _Telling(in_order(events, opted_out=opted_out), opted_out=opted_out).record(book)


def _known(fields: Json) -> Json:
    """Return the fields that have a value: null and an empty text count as none."""
    return {key: value for key, value in fields.items() if value is not None and value != ""}


class _Telling:
    """What is known of a call, event after event from the earliest to the latest."""

    def __init__(self, events: list[Json], *, opted_out: bool) -> None:
        self.events = events
        self.opted_out = opted_out
        self.fields: Json = {}
        self.metadata: Json = {}
        self.identifier: Json = {}
        self.session: int | None = None
        self.explicit_start: int | None = None
        self.planned_start: int | None = None
        self.finals: list[Json] = []
        self.turns: dict[Any, list[Json]] = {}
        self.retracted: dict[Any, int] = {}
        self.tools: dict[Any, tuple[Any, Json]] = {}
        self.samples: dict[str, list[float]] = {}
        self.usage: list[Json] = []
        self.costs: dict[Any, Json] = {}
        for event in events:
            self.apply(event)

    def apply(self, event: Json) -> None:
        kind, time, source = event["type"], unix_ms(event["time"]), event["source"]
        data = without_null(event.get("data")) if kind in OF_THE_CONTRACT else {}
        match kind:
            case "call.scheduled" | "call.created" | "call.started" | "call.updated":
                self.details(kind, time, data)
            case "call.ended" | "call.failed":
                self.finals.append(
                    {**data, "failed": kind == "call.failed", "time": time, "recency": ordering_key(event)}
                )
            case "recording.available" | "call.analyzed":
                field, stated = _STATES[kind]
                self.fields[field] = data[stated]
            case "transcript.turn":
                self.turns.setdefault(self.named(event, data, "turn_id"), []).append(event)
            case "transcript.retracted":
                turn = self.named(event, data, "turn_id")
                self.retracted[turn] = max(data["revision"], self.retracted.get(turn, -1))
            case "tool.called" | "tool.returned":
                self.tools[source, data["tool_call_id"], kind] = (
                    (time, ordering_key(event)),
                    tool_entry(kind, time, data),
                )
            case "latency.sampled":
                self.samples.setdefault(data["component"], []).append(data["value_ms"])
            case "usage.reported":
                self.usage.append(data)
            case "cost.reported":
                self.costs[self.named(event, data, "line_id")] = data

    @staticmethod
    def named(event: Json, data: Json, key: str) -> tuple[str, str, str]:
        """Return what an id inside `data` names: a thing of the source, or, without one, of the event itself."""
        if data.get(key) is None:
            return (event["source"], "nameless", event["id"])
        return (event["source"], "named", data[key])

    def details(self, kind: str, time: int, data: Json) -> None:
        known = _known({key: value for key, value in data.items() if key in _DETAIL_FIELDS})
        self.metadata.update(_known(known.pop("metadata", {})))
        self.identifier.update(_known(known.pop("telephony_identifier", {})))
        self.fields.update(known)
        start = int(data["start_timestamp"]) if "start_timestamp" in data else None
        if kind == "call.scheduled":
            self.planned_start = self.planned_start if start is None else start
        else:
            self.explicit_start = self.explicit_start if start is None else start
        if kind == "call.started":
            began = time if start is None else start
            self.session = began if self.session is None else min(began, self.session)

    def counting(self) -> list[Json]:
        """Return the final events that count, the deciding one last."""
        real = [end for end in self.finals if end.get("inferred") is not True]
        alive = [unix_ms(event["time"]) for event in self.events if event["type"] in _SIGNS_OF_LIFE]
        counting = real or [end for end in self.finals if not any(time > end["time"] for time in alive)]

        def weight(end: Json) -> tuple[bool, bool, Any]:
            return (end["disconnection_reason"].lower() not in _GENERAL_REASONS, end["failed"], end["recency"])

        return sorted(counting, key=weight)

    def status(self) -> str:
        kinds = {event["type"] for event in self.events}
        if self.counting():
            return "ERROR" if self.counting()[-1]["failed"] else "ENDED"
        if kinds & _SIGNS_OF_LIFE:
            return "ONGOING"
        return "SCHEDULED" if "call.scheduled" in kinds and "call.created" not in kinds else "REGISTERED"

    def stated(self, field: str) -> Any:
        """Return what the final end states, else the latest that another one that counts states."""
        ends = sorted(self.counting(), key=lambda end: end["recency"]) + self.counting()[-1:]
        return next((end[field] for end in reversed(ends) if end.get(field) is not None), None)

    def end_timestamp(self) -> int | None:
        if not self.counting():
            return None
        stated = self.stated("end_timestamp")
        return self.counting()[-1]["time"] if stated is None else int(stated)

    def duration(self) -> float | None:
        end = self.end_timestamp()
        if end is None:
            return None
        stated = self.stated("duration_ms")
        if stated is not None:
            return float(stated / 1000)
        return 0 if self.session is None else max(0, end - self.session) / 1000

    def effective_turns(self) -> list[tuple[Any, Json]]:
        standing = []
        for turn, rivals in self.turns.items():
            final = [event for event in rivals if event["data"].get("final") is not False]
            final = [event for event in final if _revision(event) > self.retracted.get(turn, -1)]
            if final:
                highest = max(_revision(event) for event in final)
                event = [event for event in final if _revision(event) == highest][-1]
                entry = turn_entry(event)
                standing.append(((entry["timestamp"], ordering_key(event)), entry))
        return sorted(standing, key=lambda pair: pair[0])

    def transcript(self) -> Json:
        turns = [] if self.opted_out else self.effective_turns()
        tools = [] if self.opted_out else list(self.tools.values())
        return {
            "transcript": "\n".join(entry["content"] for _, entry in turns),
            "transcript_object": [entry for _, entry in turns],
            "transcript_with_tool_calls": [
                entry for _, entry in sorted(turns + tools, key=lambda pair: pair[0]) if tools
            ],
        }

    def timeline(self) -> list[Json]:
        entries = []
        numbers = {"from": self.fields.get("from_number"), "to": self.fields.get("to_number")}
        settled = {"direction": self.upper("direction"), **({} if self.opted_out else numbers)}
        for event in self.events:
            if event["type"] not in WITHOUT_ENTRY:
                time = unix_ms(event["time"])
                since = 0 if self.session is None else max(0, time - self.session) / 1000
                label, data = entry(event["type"], event.get("data"), settled, opted_out=self.opted_out)
                entries.append({"timestamp": time, "event": label, "session_time": since, "data": data})
        return entries

    def upper(self, field: str) -> str | None:
        value: str | None = self.fields.get(field)
        return None if value is None else value.upper()

    def latency(self) -> Json | None:
        return {component: percentiles(values) for component, values in self.samples.items()} or None

    def cost(self, book: Book) -> Json | None:
        session, ended_after = self.session, self.duration()
        timed = session is not None or (self.duration() is not None and self.stated("duration_ms") is not None)
        latest = unix_ms(self.events[-1]["time"])
        so_far = 0 if session is None else max(0, latest - session) / 1000
        return reference_cost(
            book,
            moment=unix_ms(self.events[0]["time"]) if session is None else session,
            seconds=Fraction(str(so_far if ended_after is None else ended_after)) if timed else None,
            call_type=self.upper("call_type"),
            direction=self.upper("direction"),
            usage=self.usage,
            reported=list(self.costs.values()),
        )

    def record(self, book: Book) -> Json:
        first, end = self.events[0], self.counting()[-1:]
        starts = (self.explicit_start, self.session, self.planned_start)
        record: Json = {
            "id": str(uuid.uuid5(_NAMESPACE, f"{first['organizationid']}/{first['subject']}")),
            "agent_id": self.fields.get("agent_id"),
            "call_id": first["subject"],
            "organization_id": first["organizationid"],
            "call_status": self.status(),
            "call_type": self.upper("call_type"),
            "direction": self.upper("direction"),
            "from_number": self.fields.get("from_number"),
            "to_number": self.fields.get("to_number"),
            "start_timestamp": next((start for start in starts if start is not None), None),
            "end_timestamp": self.end_timestamp(),
            "call_duration": self.duration(),
            "disconnection_reason": end[0]["disconnection_reason"] if end else None,
            "recording_url": self.fields.get("recording_url"),
            "public_log_url": self.fields.get("public_log_url"),
            "opt_out_sensitive_data_storage": self.opted_out,
            "metadata": self.metadata,
            "events": self.timeline(),
            **self.transcript(),
            "latency": self.latency(),
            "call_analysis": self.fields.get("call_analysis"),
            "call_cost": self.cost(book),
            "telephony_identifier": {"call_sid": None, "conference_sid": None, **self.identifier}
            if self.identifier
            else None,
        }
        return record | dict.fromkeys(_PRIVATE_FIELDS if self.opted_out else ())


def _revision(event: Json) -> int:
    return event["data"].get("revision") or 0
