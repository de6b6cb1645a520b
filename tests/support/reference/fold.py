"""The reference implementation of the fold: every rule of docs/record.md once more, without any code of the fold.

Written for clarity, not speed: each rule is a function or a property whose docstring is the rule. `reading.py` reads,
redacts and orders the bodies; `events.py`, `talk.py`, `ends.py`, `duration.py`, `entries.py` and `cost.py` have the
rules of a record, `details.py` and `problems.py` those of the details.
"""

import uuid
from collections import defaultdict
from collections.abc import Iterable
from fractions import Fraction
from functools import cached_property
from typing import Any

from tests.support.reference.cost import Book, Cost, TimedCall
from tests.support.reference.duration import call_duration, duration_so_far, end_timestamp
from tests.support.reference.ends import Ends
from tests.support.reference.entries import (
    WITHOUT_ENTRY,
    percentiles,
    standing_tools,
    timeline_entry,
    turn_entry,
    turns_with_tools,
)
from tests.support.reference.events import (
    ACTIVITY_TYPES,
    Json,
    call_analysis,
    settled_field,
    settled_object,
    start_timestamp,
    telephony_identifier,
)
from tests.support.reference.order import ordering_key
from tests.support.reference.reading import ReadCall, read_call
from tests.support.reference.talk import final_turns, session_of, standing_samples, turn_time, unfinal_turns

_NAMESPACE = uuid.UUID("3c9a1c0e-8a83-5d5b-9c0b-6f3f0a6f1d42")
_REGISTERING = ("call.created", "call.ringing")


def reference_fold(bodies: Iterable[bytes | Json], book: Book, *, opted_out: bool = False) -> Json:
    """Return the record of a call from the bodies of its events, which the log has."""
    return Call(read_call(bodies, opted_out=opted_out), book).record()


class Call:
    """A call: its events as read, and what the rules make of them."""

    def __init__(self, read: ReadCall, book: Book) -> None:
        self.read = read
        self.book = book
        self.events: list[Json] = sorted(read.events, key=ordering_key)
        self.session = session_of(self.events)
        self.ends = Ends(self.events, self.session)

    @cached_property
    def unfinal_turns(self) -> list[Json]:
        """While the call goes on, a turn that is not final never shows."""
        return unfinal_turns(self.events) if self.ends.final else []

    @cached_property
    def turns(self) -> list[Json]:
        """The standing turns, sorted by `(timestamp, order)`; none of a call that opted out."""
        standing = [] if self.read.opted_out else [*final_turns(self.events), *self.unfinal_turns]
        return sorted(standing, key=lambda turn: (turn_time(turn), ordering_key(turn)))

    @property
    def status(self) -> str:
        types = {event["type"] for event in self.events}
        if self.ends.final:
            return "ERROR" if self.ends.final.failed else "ENDED"
        if not types.isdisjoint(ACTIVITY_TYPES):
            return "ONGOING"
        return "SCHEDULED" if "call.scheduled" in types and types.isdisjoint(_REGISTERING) else "REGISTERED"

    def field(self, name: str) -> Any:
        return settled_field(self.events, name)

    def _timeline(self) -> list[Json]:
        settled = {"direction": "direction", "from": "from_number", "to": "to_number"}
        parties = {name: self.field(field) for name, field in settled.items() if self.field(field) is not None}
        entries = []
        for event in self.events:
            if event["type"] not in WITHOUT_ENTRY:
                label, data = timeline_entry(event, parties, opted_out=self.read.opted_out)
                since = self._session_time(event["time"])
                entries.append({"timestamp": event["time"], "event": label, "session_time": since, "data": data})
        return entries

    def _session_time(self, time: int) -> float:
        """Seconds since the session's start, never below 0, 0 where there is no session."""
        return 0 if self.session.start is None else max(0, time - self.session.start) / 1000

    def _transcript(self) -> Json:
        tools = [] if self.read.opted_out else standing_tools(self.events)
        entries = [turn_entry(turn) for turn in self.turns]
        return {
            "transcript": "\n".join(entry["content"] for entry in entries if entry["content"]),
            "transcript_object": entries,
            "transcript_with_tool_calls": turns_with_tools(self.turns, tools),
        }

    def _latency(self) -> Json | None:
        values: dict[str, list[float]] = defaultdict(list)
        for sample in standing_samples(self.events):
            values[sample["data"]["component"]].append(sample["data"]["value_ms"])
        return {component: percentiles(of_component) for component, of_component in values.items()} or None

    @property
    def _is_timed(self) -> bool:
        """With a session, or when an end left that names no leg states a `duration_ms` and nothing rang."""
        stated = any(end.leg is None and end.duration_ms is not None for end in self.ends.left)
        rang = any(event["type"] == "call.ringing" for event in self.events)
        return self.session.start is not None or (stated and not rang)

    @cached_property
    def cost(self) -> Cost:
        """By the prices in force at the session's start, else at the call's earliest event."""
        ended_after = call_duration(self.ends)
        milliseconds = duration_so_far(self.ends, self.events) if ended_after is None else ended_after
        timed = TimedCall(
            seconds=Fraction(milliseconds, 1000) if self._is_timed else None,
            has_session=self.session.start is not None,
            call_type=self.field("call_type"),
            direction=self.field("direction"),
        )
        moment = self.events[0]["time"] if self.session.start is None else self.session.start
        return Cost(self.events, self.book, self.book.price_list_at(moment), timed)

    def record(self) -> Json:
        organization, call = self.events[0]["organization"], self.events[0]["call"]
        duration = call_duration(self.ends)
        return {
            "id": str(uuid.uuid5(_NAMESPACE, f"{organization}/{call}")),
            "agent_id": self.field("agent_id"),
            "call_id": call,
            "organization_id": organization,
            "call_status": self.status,
            "call_type": self.field("call_type"),
            "direction": self.field("direction"),
            "from_number": self.field("from_number"),
            "to_number": self.field("to_number"),
            "start_timestamp": start_timestamp(self.events, self.session.start),
            "end_timestamp": end_timestamp(self.ends),
            "call_duration": None if duration is None else duration / 1000,
            "disconnection_reason": self.ends.final.reason if self.ends.final else None,
            "recording_url": self.field("recording_url"),
            "public_log_url": self.field("public_log_url"),
            "opt_out_sensitive_data_storage": self.read.opted_out,
            "metadata": settled_object(self.events, "metadata"),
            "events": self._timeline(),
            **self._transcript(),
            "latency": self._latency(),
            "call_analysis": call_analysis(self.events),
            "call_cost": self.cost.as_json(),
            "telephony_identifier": telephony_identifier(self.events),
        }
