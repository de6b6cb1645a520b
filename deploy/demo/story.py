"""A story of calls: their events, and the values that each call's record must have after each event.

The story computes these values itself, without the fold, so that the two can be compared.
"""

import json
import math
import random
import statistics
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import ROUND_HALF_EVEN, Decimal
from pathlib import Path
from typing import Any

SEED_CALL = Path(__file__).parents[2] / "examples" / "call-456.jsonl"

_PER_MINUTE = {"INBOUND": Decimal("0.02"), "OUTBOUND": Decimal("0.02"), "WEB_CALL": Decimal("0.01")}
_LLM_UNIT = Decimal("0.001")
_MICRO = Decimal("0.000001")

_AGENT = (
    "Thank you for calling. How can I help you today?",
    "Let me look that up for you.",
    "Your order left our warehouse this morning.",
    "Is there anything else that I can do?",
    "I have changed the delivery to Friday, between nine and noon.",
)
_CALLER = (
    "Hello, I am waiting for my order.",
    "The number is four seven one one.",
    "Could you deliver it on Friday instead?",
    "No, that was all. Thank you!",
    "It cost $27, and the invoice says otherwise.",
)


@dataclass(frozen=True, slots=True)
class Facts:
    """The expected values of a record: durations in seconds, samples in milliseconds, cost in dollars."""

    status: str = "REGISTERED"
    reason: str | None = None
    duration: float | None = None
    transcript: str = ""
    timeline: tuple[str, ...] = ()
    tool_events: int = 0
    samples: tuple[float, ...] = ()
    cost: Decimal | None = None
    from_number: str | None = None

    def differences(self, record: dict[str, Any]) -> list[str]:
        """Return the names of the values that differ in a record."""
        found = {
            "status": record["call_status"],
            "reason": record["disconnection_reason"],
            "duration": record["call_duration"],
            "transcript": record["transcript"],
            "timeline": tuple(entry["event"] for entry in record["events"]),
            "tool_events": sum("tool_call_id" in entry for entry in record["transcript_with_tool_calls"]),
            "samples": tuple((record["latency"] or {}).get("e2e", {}).get("values", ())),
            "from_number": record["from_number"],
        }
        wrong = [name for name, value in found.items() if value != getattr(self, name)]
        return wrong + self._wrong_cost(record) + self._wrong_percentiles(record)

    def _wrong_cost(self, record: dict[str, Any]) -> list[str]:
        cost = record["call_cost"] and record["call_cost"]["combined_cost"]
        return [] if cost == (None if self.cost is None else float(self.cost)) else ["cost"]

    def _wrong_percentiles(self, record: dict[str, Any]) -> list[str]:
        if len(self.samples) < 2:  # noqa: PLR2004 - percentiles need two samples
            return []
        cuts = statistics.quantiles(self.samples, n=100, method="inclusive")
        found = record["latency"]["e2e"]
        return [f"p{n}" for n in (50, 90, 95, 99) if not math.isclose(found[f"p{n}"], cuts[n - 1], abs_tol=1e-6)]


@dataclass(slots=True)
class Script:
    """One call as it happens: each method is something that happens `after` milliseconds after the last."""

    organization: str
    call: str
    now: int
    direction: str = "INBOUND"
    call_type: str = "PHONE_CALL"
    events: list[dict[str, Any]] = field(default_factory=list)
    facts: list[Facts] = field(default_factory=list)
    _expected: Facts = field(default_factory=Facts)
    _session: int | None = None
    _turns: dict[str, str] = field(default_factory=dict)
    _llm_units: int = 0
    _stated: Decimal = Decimal(0)

    def create(self, number: str = "+4915112345678") -> None:
        details = {"agent_id": "agent-7", "call_type": self.call_type.lower(), "direction": self.direction.lower()}
        self._expect(from_number=number, timeline=(*self._expected.timeline, "Call created"))
        self._publish("/telephony", "call.created", 0, **details, from_number=number, to_number="+493012345")

    def start(self, after: int = 4_000) -> None:
        self._session = self.now + after
        self._expect(status="ONGOING", timeline=(*self._expected.timeline, f"Call started - {self.direction}"))
        self._publish("/telephony", "call.started", after)

    def say(self, role: str, content: str, turn: str | None = None, revision: int = 0, after: int = 2_500) -> None:
        """Somebody speaks, or an earlier turn is corrected."""
        turn = turn or f"turn-{len(self._turns)}"
        self._turns[turn] = content
        self._expect(transcript="\n".join(self._turns.values()))
        at = self.now + after
        words = [
            {"word": word, "start": at + 180 * n, "end": at + 180 * n + 150} for n, word in enumerate(content.split())
        ]
        spoken = {"turn_id": turn, "revision": revision, "role": role, "content": content}
        timestamp = {} if revision == 0 else {"timestamp": self._first_said(turn)}
        self._publish("/speech", "transcript.turn", after, **spoken, **timestamp, words=words)

    def reply(self, rng: random.Random, content: str) -> None:
        """The agent answers, with a latency sample for each component."""
        self.say("agent", content)
        for component in ("e2e", "llm", "tts"):
            value = round(rng.lognormvariate(6, 0.4), 1)
            if component == "e2e":
                self._expect(samples=(*self._expected.samples, value))
            self._publish("/agent", "latency.sampled", 20, component=component, value_ms=value)

    def use_tool(self, number: int) -> None:
        for kind, what in (
            ("called", {"name": "find_order", "arguments": {"order": 4711}}),
            ("returned", {"content": "sent"}),
        ):
            self._expect(tool_events=self._expected.tool_events + 1)
            self._publish("/agent", f"tool.{kind}", 300, tool_call_id=f"tool-{number}", **what)

    def use(self, units: int) -> None:
        self._llm_units += units
        self._publish("/agent", "usage.reported", 100, product="llm_usage", quantity=units)

    def charge(self, dollars: str) -> None:
        self._stated += Decimal(dollars)
        self._publish("/telephony", "cost.reported", 100, product="carrier", cost=dollars)

    def happen(self, kind: str, label: str, **data: Any) -> None:
        """Something else happens that appears on the timeline."""
        self._expect(timeline=(*self._expected.timeline, label))
        self._publish("/telephony", kind, 1_000, **data)

    def end(self, reason: str = "user_hangup", kind: str = "call.ended", after: int = 1_500) -> None:
        at = self.now + after
        label, status = ("Call ended", "ENDED") if kind == "call.ended" else ("Call failed", "ERROR")
        seconds = 0.0 if self._session is None else (at - self._session) / 1000
        timeline = (*self._expected.timeline, f"{label} - {reason}")
        self._expect(status=status, reason=reason, duration=seconds, timeline=timeline)
        self._publish("/telephony", kind, after, disconnection_reason=reason)

    def opt_out(self) -> None:
        """The caller does not want the content of the call to be stored."""
        self._publish("/telephony", "call.updated", 500, opt_out_sensitive_data_storage=True)
        self.facts = [*self.facts[:-1], self._without_content(self.facts[-1])]
        self._expected = self._without_content(self._expected)
        self._turns.clear()

    def _without_content(self, facts: Facts) -> Facts:
        return _changed(facts, transcript="", from_number=None, tool_events=0)

    def _first_said(self, turn: str) -> int:
        said = next(event for event in self.events if event["data"].get("turn_id") == turn)
        first: int = said["data"]["words"][0]["start"]
        return first

    def _expect(self, **changes: Any) -> None:
        self._expected = _changed(self._expected, **changes)

    def _publish(self, source: str, kind: str, after: int, **data: Any) -> None:
        self.now += after
        self.events.append(
            {
                "specversion": "1.0",
                "id": f"{self.call}:{len(self.events)}",
                "source": source,
                "type": kind,
                "subject": self.call,
                "time": datetime.fromtimestamp(self.now / 1000, UTC).isoformat(timespec="milliseconds"),
                "organizationid": self.organization,
                "data": data,
            }
        )
        self._expect(cost=self._cost())
        self.facts.append(self._expected)

    def _cost(self) -> Decimal | None:
        if self._session is None and not self._llm_units and not self._stated:
            return None
        per_minute = _PER_MINUTE["WEB_CALL" if self.call_type == "WEB_CALL" else self.direction]
        talked = 0 if self._session is None else math.ceil((self.now - self._session) / 1000)
        lines = (per_minute * talked / 60 if self._session else Decimal(0), _LLM_UNIT * self._llm_units, self._stated)
        return sum((line.quantize(_MICRO, ROUND_HALF_EVEN) for line in lines), Decimal(0))


def _changed(facts: Facts, **changes: Any) -> Facts:
    return Facts(**{name: changes.get(name, getattr(facts, name)) for name in Facts.__slots__})


def seed_call() -> list[dict[str, Any]]:
    """Return the events of the example call of the API's documentation."""
    return [json.loads(line) for line in SEED_CALL.read_text().splitlines()]


def story(now: int, seed: int = 1, ordinary: int = 8) -> Iterator[Script]:
    """Yield the calls of the story; `now` is Unix milliseconds, the same seed gives the same story."""
    rng = random.Random(seed)  # noqa: S311 - a story, not a secret
    for number in range(ordinary):
        call = Script(
            "org-789", f"call-{number + 1:03}", now - rng.randrange(600_000), ("INBOUND", "OUTBOUND")[number % 2]
        )
        call.create()
        call.start()
        _talk(call, rng, turns=rng.randrange(4, 12))
        call.end(rng.choice(("user_hangup", "agent_hangup", "normal_clearing")))
        yield call
    yield from _particular(now, rng)


def _talk(call: Script, rng: random.Random, turns: int) -> None:
    for number in range(turns):
        if number % 2:
            call.say("user", rng.choice(_CALLER))
        else:
            call.reply(rng, rng.choice(_AGENT))
        if number == 2:  # noqa: PLR2004 - the third turn
            call.use_tool(number)
    call.use(rng.randrange(10, 90))


def _particular(now: int, rng: random.Random) -> Iterator[Script]:
    """Yield calls with special cases."""
    missed = Script("org-789", "call-no-answer", now, "OUTBOUND")
    missed.create()
    missed.end("dial_no_answer", "call.failed", after=30_000)
    yield missed

    web = Script("org-1", "call-in-browser", now, call_type="WEB_CALL")
    web.create()
    web.start()
    _talk(web, rng, turns=5)
    web.charge("0.0375")
    web.happen("call.note", "Survey sent", event="Survey sent", data={"channel": "mail"})
    web.end()
    yield web

    corrected = Script("org-1", "call-corrected", now)
    corrected.create()
    corrected.start()
    corrected.say("user", "I am calling about my otter.")
    corrected.reply(rng, "Which order is it?")
    corrected.say("user", "I am calling about my order.", turn="turn-0", revision=1)
    corrected.happen("call.transferred", "Call transferred", destination="+4930999", mode="warm")
    corrected.happen("call.dtmf", "DTMF received", digits="1")
    corrected.happen("order.shipped", "order.shipped", order=4711)
    corrected.end("call_transfer")
    yield corrected

    private = Script("org-1", "call-opted-out", now)
    private.create()
    private.start()
    private.say("user", "This is between us.")
    private.reply(rng, "Of course.")
    private.opt_out()
    private.end()
    yield private
