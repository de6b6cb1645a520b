"""The canary's call: its events, and the record that they must give.

The record is written out here, not folded: a fold that is wrong must not make its own expectation. Only what the rules
take from the call itself (its ids and times) is filled in. A test compares it with the fold, so that a change of the
rules changes both.

The call took a minute that has just passed: every price book that bills by the second, by parts of a minute or by the
minute counts 60 seconds. What it costs is reported, so that the record is the same with any price book.
"""

import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from shared.contract.timestamps import rfc3339
from shared.contract.topics import Topics

Json = dict[str, Any]

CALL_MS = 60_000
CREATED, TURN, TOOL, ANSWER, REPLY, SAMPLES, COST = -2_000, 1_000, 2_000, 2_250, 4_000, (5_000, 6_000, 7_000), 8_000

_NAMESPACE = uuid.UUID("3c9a1c0e-8a83-5d5b-9c0b-6f3f0a6f1d42")
_TELEPHONY, _AGENT = "/callfold/canary/telephony", "/callfold/canary/agent"
_CALLER, _CALLED = "+15550100", "+15550199"


@dataclass(frozen=True, slots=True)
class CanaryEvent:
    """An event and the topic that it is published on."""

    topic: str
    body: Json


@dataclass(frozen=True, slots=True)
class CanaryCall:
    """A call whose session started at `start`, Unix milliseconds."""

    organization: str
    call_id: str
    start: int

    def first_events(self, topics: Topics) -> Sequence[CanaryEvent]:
        """Return the events of a call that goes on."""
        calls, talk = self._maker(topics.telephony, _TELEPHONY), self._maker(topics.transcription, _AGENT)
        return (
            calls("1", "call.created", CREATED, **self._stated()),
            calls("2", "call.started", 0),
            self._first_turn(topics),
            talk("2", "tool.called", TOOL, tool_call_id="t1", name="look", arguments={"where": "here"}),
            talk("3", "transcript.turn", REPLY, turn_id="t2", role="user", content="I h", final=False),
        )

    def last_events(self, topics: Topics) -> Sequence[CanaryEvent]:
        """Return the events with which the call ends, one that came before among them."""
        calls, talk = self._maker(topics.telephony, _TELEPHONY), self._maker(topics.transcription, _AGENT)
        values = zip(("4", "5", "6"), SAMPLES, (100, 200, 400), strict=True)
        return (
            self._first_turn(topics),
            talk("7", "tool.returned", ANSWER, tool_call_id="t1", content="nothing", successful=True),
            talk("8", "transcript.turn", REPLY, turn_id="t2", revision=1, role="user", content="I hear $1 well."),
            *(talk(name, "latency.sampled", at, component="e2e", value_ms=value) for name, at, value in values),
            calls("3", "cost.reported", COST, product="inbound_call", cost="0.02", unit_price="0.02"),
            calls("4", "cost.reported", COST, product="carrier", cost="0.005"),
            calls("5", "cost.reported", COST, product="carrier", cost="-0.001", kind="adjustment"),
            calls("6", "call.ended", CALL_MS, disconnection_reason="agent_hangup", ended_by="agent"),
        )

    def record(self) -> Json:
        """Return the record of the whole call."""
        return {
            "id": str(uuid.uuid5(_NAMESPACE, f"{self.organization}/{self.call_id}")),
            "agent_id": "canary",
            "call_id": self.call_id,
            "organization_id": self.organization,
            "call_status": "ENDED",
            "call_type": "PHONE_CALL",
            "direction": "INBOUND",
            "from_number": _CALLER,
            "to_number": _CALLED,
            "start_timestamp": self.start,
            "end_timestamp": self.start + CALL_MS,
            "call_duration": 60,
            "disconnection_reason": "agent_hangup",
            "recording_url": None,
            "public_log_url": None,
            "opt_out_sensitive_data_storage": False,
            "metadata": {"canary": True},
            "events": list(self._timeline()),
            "transcript": "Can you hear me?\nI hear $1 well.",
            "transcript_object": [self._asked(), self._replied()],
            "transcript_with_tool_calls": [self._asked(), *self._tool(), self._replied()],
            "latency": {"e2e": _latency()},
            "call_analysis": None,
            "call_cost": _cost(),
            "telephony_identifier": {"call_sid": self.call_id, "conference_sid": None},
        }

    def _stated(self) -> Json:
        return {
            "agent_id": "canary",
            "call_type": "phone_call",
            "direction": "inbound",
            "from_number": _CALLER,
            "to_number": _CALLED,
            "metadata": {"canary": True},
            "telephony_identifier": {"call_sid": self.call_id},
        }

    def _first_turn(self, topics: Topics) -> CanaryEvent:
        make = self._maker(topics.transcription, _AGENT)
        return make("1", "transcript.turn", TURN, turn_id="t1", role="agent", content="Can you hear me?")

    def _maker(self, topic: str, source: str) -> Callable[..., CanaryEvent]:
        def make(name: str, kind: str, after: int, /, **data: Any) -> CanaryEvent:
            identity = {"specversion": "1.0", "id": name, "source": source, "type": kind, "subject": self.call_id}
            time = {"time": rfc3339(self.start + after), "organizationid": self.organization}
            return CanaryEvent(topic, {**identity, **time, "data": data})

        return make

    def _timeline(self) -> Iterator[Json]:
        yield {"timestamp": self.start + CREATED, "event": "Call created", "session_time": 0, "data": {}}
        started = {"direction": "INBOUND", "from": _CALLER, "to": _CALLED}
        yield {"timestamp": self.start, "event": "Call started - INBOUND", "session_time": 0, "data": started}
        ended = {"event": "Call ended - agent_hangup", "session_time": 60, "data": {"ended_by": "agent"}}
        yield {"timestamp": self.start + CALL_MS, **ended}

    def _asked(self) -> Json:
        content = "Can you hear me?"
        return {"role": "assistant", "content": content, "timestamp": self.start + TURN, "words": []}

    def _replied(self) -> Json:
        return {"role": "user", "content": "I hear $1 well.", "timestamp": self.start + REPLY, "words": []}

    def _tool(self) -> Iterator[Json]:
        call = {"role": "tool_call_invocation", "tool_call_id": "t1", "name": "look"}
        yield {**call, "arguments": '{"where":"here"}', "timestamp": self.start + TOOL}
        result = {"role": "tool_call_result", "tool_call_id": "t1", "content": "nothing", "successful": True}
        yield {**result, "timestamp": self.start + ANSWER}


def _latency() -> Json:
    percentiles = {"p50": 200, "p90": 360, "p95": 380, "p99": 396}
    return {"max": 400, "min": 100, "num": 3, **percentiles, "values": [100, 200, 400]}


def _cost() -> Json:
    return {
        "combined_cost": 0.024,
        "product_costs": [
            {"product": "carrier", "cost": 0.004, "unit_price": None},
            {"product": "inbound_call", "cost": 0.02, "unit_price": 0.02},
        ],
        "total_duration_seconds": 60,
        "total_duration_unit_price": 0,
        "total_one_time_price": 0.024,
    }
