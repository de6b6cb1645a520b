"""PURE: what the pictures show: a call that costs 0.15, one that failed, a provider that sends invalid events."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

Json = dict[str, Any]

EXAMPLE = ("org-789", "call-456")
"""The call of the API's documentation: as long, and as dear."""

FAILED = ("org-1", "call-model-lost")

_TALK_MS = 300_000
_LLM_UNITS = 50


@dataclass(slots=True)
class Call:
    """A call that is answered at `answered` (Unix milliseconds); each method takes seconds since then."""

    organization: str
    call: str
    answered: int
    source: str = "/twilio/AC0001"
    events: list[Json] = field(default_factory=list)
    _turns: int = 0

    def add(self, seconds: float, kind: str, source: str | None = None, **data: Any) -> None:
        at = self.answered + round(seconds * 1000)
        self.events.append(
            {
                "specversion": "1.0",
                "id": f"{self.call}:{len(self.events)}",
                "source": source or self.source,
                "type": kind,
                "subject": self.call,
                "time": datetime.fromtimestamp(at / 1000, UTC).isoformat(timespec="milliseconds"),
                "organizationid": self.organization,
                "data": data,
            }
        )

    def ring(self) -> None:
        facts = {"agent_id": "agent-123", "call_type": "phone_call", "direction": "inbound"}
        self.add(-9, "call.created", **facts, from_number="+1234567890", to_number="+0987654321")
        self.add(-8, "call.ringing", to_number="+0987654321")
        self.add(0, "call.started", direction="inbound")

    def say(self, seconds: float, role: str, content: str, lasts: float) -> str:
        """Add a turn with the times of its words, and return its id."""
        turn, begins, words = f"turn-{self._turns}", self.answered + round(seconds * 1000), content.split()
        self._turns += 1
        step = lasts * 1000 / len(words)
        timed = [
            {"word": word, "start": begins + round(step * n), "end": begins + round(step * (n + 0.8))}
            for n, word in enumerate(words)
        ]
        spoken = {"turn_id": turn, "role": role, "content": content, "words": timed}
        self.add(seconds + lasts, "transcript.turn", "/engine", **spoken, timestamp=begins)
        return turn

    def reply(self, seconds: float, content: str, lasts: float, e2e: float, llm: float) -> None:
        """Add a turn of the agent, and how long one waited for it, in milliseconds."""
        turn = self.say(seconds, "assistant", content, lasts)
        for component, value in (("e2e", e2e), ("llm", llm)):
            self.add(seconds, "latency.sampled", "/agent", component=component, value_ms=value, turn_id=turn)


def example(now: int) -> list[Json]:
    """Return the events of a call of 300 s at 0.02 a minute, with 50 units of a model at 0.001; it ended before now."""
    call = Call(*EXAMPLE, now - _TALK_MS - 40_000)
    call.ring()
    call.add(1, "call.updated", "/agent", metadata={"customer_id": "cust-001", "priority": "high"})
    call.reply(0.4, "Hello, thank you for calling. How can I help you today?", 4, 120.1, 80.2)
    call.say(6, "user", "Hi. My order should have come on Monday, and it is still not here.", 5)
    call.reply(11.3, "I am sorry about that. What is the number of the order?", 4, 262.8, 125.3)
    call.say(17, "user", "Four seven one one.", 2)
    call.add(19.3, "tool.called", "/agent", tool_call_id="tool-1", name="find_order", arguments={"order": 4711})
    result = {"state": "held", "depot": "Hamburg", "why": "address incomplete"}
    call.add(21.1, "tool.returned", "/agent", tool_call_id="tool-1", content=result, duration_ms=1_800)
    call.reply(21.8, "It is held in Hamburg, because the address is incomplete.", 5, 2_810.4, 610.9)
    call.say(29, "user", "Oh. It is the second floor, at the back of the house.", 5)
    call.reply(34.4, "Thank you, I have added that. Shall we deliver it on Friday?", 5, 380.8, 180.5)
    call.say(44, "user", "One moment, I have to ask my wife.", 3)
    call.say(118, "user", "Sorry for the wait. Friday is fine, after five if you can.", 5)
    call.reply(123.5, "Friday between five and eight it is.", 3, 310.1, 140.9)
    call.say(131, "user", "And what does the delivery cost me now?", 3)
    call.reply(134.4, "Nothing: the mistake was ours.", 3, 290.3, 125.3)
    call.say(140, "user", "Good. Then there is my last invoice, it says $27 and I paid that in May.", 6)
    call.add(146.4, "tool.called", "/agent", tool_call_id="tool-2", name="find_payment", arguments={"amount": "27.00"})
    call.add(146.9, "tool.returned", "/agent", tool_call_id="tool-2", content={"paid": "2026-05-12"}, duration_ms=500)
    call.reply(147.6, "You did, on the twelfth of May. I have closed the invoice.", 5, 1_240.6, 240.2)
    call.say(155, "user", "Could you send me that in writing?", 3)
    call.reply(158.3, "Of course. Is your address still the one that we have?", 4, 230.4, 101.4)
    call.say(164, "user", "Yes, it is.", 1.5)
    call.reply(166, "Then it is on its way. Please hold the line for a short survey.", 5, 350.9, 160.1)
    call.add(172, "call.note", "/agent", event="Survey started", data={"channel": "voice"})
    call.reply(236, "How content were you, from one to five?", 3, 250.5, 90.1)
    call.add(242, "call.dtmf", digits="5")
    call.reply(243, "Thank you. Goodbye!", 2, 220.9, 101.4)
    call.say(246, "user", "Goodbye.", 1)
    call.add(299.5, "usage.reported", "/agent", product="llm_usage", quantity=_LLM_UNITS)
    call.add(_TALK_MS / 1000, "call.ended", disconnection_reason="user_hangup")
    return call.events


def failed(now: int) -> list[Json]:
    """Return the events of a call that ended with an error."""
    call = Call(*FAILED, now - 90_000)
    call.ring()
    call.reply(0.5, "Good afternoon, you have reached the service line. What can I do for you?", 4, 240.1, 140.2)
    call.say(6, "user", "I would like to change the date of my appointment.", 3)
    call.reply(9.6, "Gladly. Which day suits you?", 2, 410.7, 300.4)
    call.say(13, "user", "Next Wednesday, if there is something in the morning.", 4)
    call.add(17.4, "tool.called", "/agent", tool_call_id="tool-1", name="find_slot", arguments={"day": "Wednesday"})
    call.add(21.9, "call.note", "/agent", event="Connection to the model lost", data={"attempts": 3})
    call.add(
        26,
        "call.failed",
        disconnection_reason="error_llm_websocket_lost_connection",
        message="The model did not answer three times in a row",
    )
    return call.events


@dataclass(frozen=True, slots=True)
class Invalid:
    """A provider that sends events without what they must have."""

    organization: str
    source: str
    kind: str
    number: int
    data: Json

    def events(self, now: int) -> Iterator[Json]:
        for place in range(self.number):
            call = Call(self.organization, f"{self.kind.partition('.')[0]}-{place:04}", now, self.source)
            call.add(0, self.kind, **self.data)
            yield from call.events


INVALID: Sequence[Invalid] = (
    # The first is what one is paged for.
    Invalid("org-acme", "/acme-dialer/v2", "call.ended", 34, {"hangup": "normal"}),
    Invalid("org-789", "/engine", "latency.sampled", 12, {"component": "e2e", "value_ms": "fast"}),
    Invalid("org-1", "/meter", "usage.reported", 8, {"product": "llm_usage", "quantity": -5}),
)
NOT_JSON = b"call ended"
