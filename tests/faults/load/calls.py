"""PURE: the events of one call, by its seed, and which of them come late."""

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from shared.contract.payloads import TRANSCRIPTION, TYPES
from tests.faults.load.private import PRIVATE, SENSITIVE, private_data
from tests.support.events.makers import STARTED, Json, event

ORGANIZATIONS = ("org-1", "org-2")

_LATE = 0.15
_MANY_TURNS = 2_000
_LINES = ("Hello, how can I help you?", "It cost $27, as I said.", "One moment, please.", "Danke schön!")


@dataclass(slots=True)
class Call:
    """The events of a call in the order in which they happened, and those that are sent long after its end."""

    name: str
    organization: str
    opted_out: bool = False
    events: list[Json] = field(default_factory=list)
    late: list[Json] = field(default_factory=list)
    now: int = STARTED

    def add(self, kind: str, source: str = "/telephony", /, after: int = 1_000, **data: Any) -> None:
        """Add an event, so many milliseconds after the last."""
        self.now += after
        self.events.append(
            event(
                kind,
                at=self.now,
                id=f"{self.name}:{len(self.events)}",
                source=source,
                call=self.name,
                organization=self.organization,
                **data,
            )
        )

    def said(self, text: str) -> str:
        """Return a text of the call, marked as private if the call opts out."""
        return f"{text} {PRIVATE}" if self.opted_out else text


def a_call(name: str, rng: random.Random) -> Call:
    (shape,) = rng.choices(tuple(_SHAPES), tuple(_SHAPES.values()))
    call = Call(name, rng.choice(ORGANIZATIONS), opted_out=shape is _opted_out)
    call.now += rng.randrange(10_000)
    shape(call, rng)
    if rng.random() < _LATE:
        call.late = [call.events.pop(rng.randrange(len(call.events))) for _ in range(rng.randrange(1, 3))]
    return call


def an_opted_out_call(name: str, rng: random.Random) -> Call:
    call = Call(name, rng.choice(ORGANIZATIONS), opted_out=True)
    _opted_out(call, rng)
    return call


def a_long_call(name: str, rng: random.Random) -> Iterator[Json]:
    """Yield the events of a call of many turns, some hundred bytes each."""
    call = Call(name, ORGANIZATIONS[0])
    _begin(call, rng)
    for _ in range(_MANY_TURNS):
        _turn(call, rng, " ".join(rng.choices(_LINES, k=12)))
    _end(call, rng)
    yield from call.events


def _ordinary(call: Call, rng: random.Random) -> None:
    _begin(call, rng)
    _talk(call, rng)
    _end(call, rng)


def _opted_out(call: Call, rng: random.Random) -> None:
    _begin(call, rng)
    _talk(call, rng)
    kinds = rng.sample(sorted(TYPES), k=len(TYPES))
    half = rng.randrange(len(kinds))
    _confide(call, kinds[:half])
    call.add("call.updated", opt_out_sensitive_data_storage=True)
    _confide(call, kinds[half:])
    _talk(call, rng)
    if rng.random() < 0.8:
        _end(call, rng)


def _unanswered(call: Call, _rng: random.Random) -> None:
    call.add("call.created", from_number=call.said("+491"))
    call.add("call.failed", after=30_000, disconnection_reason="dial_no_answer")


def _endless(call: Call, rng: random.Random) -> None:
    _begin(call, rng)
    _talk(call, rng)


def _forked(call: Call, rng: random.Random) -> None:
    """Two phones ring, one is answered, the call is transferred to a third."""
    call.add("call.created", direction="incoming", from_number=call.said("+491"))
    for leg in ("desk", "mobile"):
        call.add("call.ringing", leg_id=leg, to_number=call.said(f"+49{leg}"))
    call.add("call.started", leg_id="mobile", answered_by="human")
    call.add("call.ended", leg_id="desk", disconnection_reason="no_answer")
    _talk(call, rng)
    call.add("call.transferred", transfer_id="1", status="started", destination=call.said("+492"), leg_id="mobile")
    call.add("call.started", leg_id="target")
    call.add("call.ended", leg_id="mobile", disconnection_reason="transferred")
    _talk(call, rng)
    call.add("call.ended", leg_id="target", disconnection_reason="user_hangup")


def _rejoined(call: Call, rng: random.Random) -> None:
    """The caller drops, joins again, and two sources report the end; a credit follows."""
    _begin(call, rng)
    _talk(call, rng)
    call.add("call.ended", disconnection_reason="network_error", duration_ms=rng.choice((None, 20_000)))
    call.add("call.started", after=7_000)
    _talk(call, rng)
    call.add("call.ended", "/agent", disconnection_reason="agent_hangup")
    call.add("call.ended", after=400, disconnection_reason="unspecified")
    call.add("cost.reported", product="inbound_call", cost="-0.01", kind="adjustment", currency="USD")


_SHAPES = {_ordinary: 60, _opted_out: 15, _unanswered: 5, _endless: 5, _forked: 8, _rejoined: 7}
"""How a call goes, and how often in a hundred."""


def _begin(call: Call, rng: random.Random) -> None:
    direction = rng.choice(("inbound", "outbound"))
    call.add("call.created", agent_id="agent-7", call_type="phone_call", from_number=call.said("+491"))
    call.add("call.started", direction=direction, metadata={"line": str(rng.randrange(9))})


def _talk(call: Call, rng: random.Random) -> None:
    happenings = (_turn, _turn, _turn, _sample, _sample, _corrected, _tool, _happening, _usage, _faulty)
    for _ in range(rng.randrange(6, 16)):
        rng.choice(happenings)(call, rng)


def _turn(call: Call, rng: random.Random, text: str | None = None) -> None:
    role = rng.choice(("assistant", "user"))
    call.add("transcript.turn", "/speech", role=role, content=call.said(text or rng.choice(_LINES)))


def _confide(call: Call, kinds: Sequence[str]) -> None:
    """Add an event of each of these types, with every field that opting out takes."""
    for kind in kinds:
        call.add(kind, "/agent" if kind in TRANSCRIPTION else "/telephony", **private_data(kind))
        call.events[-1]["aboutus"] = call.said("An extension attribute")


def _sample(call: Call, rng: random.Random) -> None:
    component, value = rng.choice(("e2e", "llm")), round(rng.lognormvariate(5, 0.5), 1)
    call.add("latency.sampled", "/agent", component=component, value_ms=value)


def _corrected(call: Call, rng: random.Random) -> None:
    turn = f"turn-{len(call.events)}"
    for revision in range(2):
        said = call.said(rng.choice(_LINES))
        call.add("transcript.turn", "/speech", turn_id=turn, revision=revision, content=said, role="user")
    if rng.random() < 0.2:
        call.add("transcript.retracted", "/speech", turn_id=turn, revision=1)


def _tool(call: Call, _rng: random.Random) -> None:
    tool = f"tool-{len(call.events)}"
    call.add("tool.called", "/agent", tool_call_id=tool, arguments={"order": call.said("4711")})
    call.add("tool.returned", "/agent", tool_call_id=tool, content=call.said("sent"))


def _happening(call: Call, rng: random.Random) -> None:
    happenings: tuple[Callable[[], None], ...] = (
        lambda: call.add("call.note", event=call.said("Said thanks"), data={"said": call.said("Thanks")}),
        lambda: call.add("call.dtmf", digits=call.said("27")),
        lambda: call.add("call.transferred", destination=call.said("+492"), mode="warm"),
        lambda: call.add("recording.available", recording_url=f"https://example.org/{call.said('1')}"),
        lambda: call.add("call.analyzed", "/agent", analysis={"sentiment": call.said("positive")}),
        lambda: call.add("order.shipped", "/shop", order=call.said("4711")),
    )
    rng.choice(happenings)()


def _faulty(call: Call, rng: random.Random) -> None:
    """An event with one wrong field, or one that only a lenient reader takes."""
    faulty: tuple[Callable[[], None], ...] = (
        lambda: call.add("transcript.turn", "/speech", role="Bot", content=call.said("Yes"), confidence="high"),
        lambda: call.add(
            "transcript.turn", "/speech", role="human", content=call.said("No"), words=[{"word": "No", "start": 3.2}]
        ),
        lambda: call.add("latency.sampled", "/agent", component="LLM.ttft", value_ms="120.5"),
        lambda: call.add("call.dtmf", digits=SENSITIVE, sensitive="yes"),
        lambda: call.add("cost.reported", product="carrier", cost=0.0026999999999999997, currency="??"),
        lambda: call.add("usage.reported", "/agent", product="llm_usage", quantity=7, usage_id="total", unit=["token"]),
        lambda: call.add("call.updated", metadata={"half": "\ud83d", "wide": 2**70}, start_timestamp=3),
    )
    rng.choice(faulty)()


def _usage(call: Call, rng: random.Random) -> None:
    product = rng.choice(("llm_usage", "stt_usage"))
    call.add("usage.reported", "/agent", product=product, quantity=rng.randrange(1, 90))
    if rng.random() < 0.3:
        call.add("cost.reported", product="carrier", cost=f"0.0{rng.randrange(1, 9)}")


def _end(call: Call, rng: random.Random) -> None:
    call.add("call.ended", disconnection_reason=rng.choice(("user_hangup", "agent_hangup", "normal_clearing")))
