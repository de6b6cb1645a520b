"""The calls that are measured: turns with words, four latency components, tools, usage, lifecycle; seeded.

Few templates are told of in full; each call is one of them under its own name. The reference fold is asked once per
template, so that every record of a run can be compared with it.
"""

import random
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import orjson

from shared.contract.ids import call_key
from shared.contract.payloads import TRANSCRIPTION
from shared.contract.topics import Topics
from tests.support.events.makers import Json, event
from tests.support.reference.cost import Book
from tests.support.reference.fold import reference_fold

AT_ONCE = 2_000
"""So many calls go on at the same time."""

BURST = 6
"""So many events of a call arrive together."""

_TEMPLATES = 40
_ORGANIZATIONS = 20
_CALL = "call-template0"
_ORGANIZATION = "org-template0"
_BEGAN = 1_703_097_600_000
_COMPONENTS = ("e2e", "llm", "tts", "asr")
_TOOL_EVERY = 12
_NAMESPACE = uuid.UUID("3c9a1c0e-8a83-5d5b-9c0b-6f3f0a6f1d42")
_SAID = (
    "Hello, thank you for calling, how can I help you today?",
    "I would like to know when my order will arrive.",
    "Of course. May I have the number of your order, please?",
    "It is four seven one one, and it was ordered last Tuesday.",
    "One moment, please, I am looking that up for you right now.",
    "Sure.",
    "Your parcel left the warehouse yesterday, and it will be with you tomorrow between nine and eleven.",
    "That is good to hear. And it cost $27, as I was told?",
    "Yes, that is right, including shipping.",
    "Könnten Sie mir das bitte auch per E-Mail schicken?",
)


@dataclass(frozen=True)
class Workload:
    """So many `calls` of about `events` events each; calls are named by their number, and go on unless `ended`."""

    events: int
    calls: int
    seed: int = 1
    ended: bool = True

    @property
    def name(self) -> str:
        """How the workload is called in tables and topics."""
        return f"{self.events} events a call"

    @cached_property
    def templates(self) -> list[list[Json]]:
        """The conversations that the calls are made of."""
        rng = random.Random(self.seed)
        told = [conversation(rng, self.events) for _ in range(min(_TEMPLATES, self.calls))]
        return told if self.ended else [each[:-1] for each in told]

    @cached_property
    def total(self) -> int:
        """How many events there are in all."""
        return sum(len(self.templates[number % len(self.templates)]) for number in range(self.calls))

    @cached_property
    def _lines(self) -> list[list[tuple[bool, bytes]]]:
        return [
            [(body["type"] in TRANSCRIPTION, orjson.dumps(body)) for body in template] for template in self.templates
        ]

    @cached_property
    def _records(self) -> list[bytes]:
        return [orjson.dumps(reference_fold(template, Book())) for template in self.templates]

    def messages(self, topics: Topics, first: int = 0) -> Iterator[tuple[str, bytes, bytes]]:
        """Yield topic, key and value of every event, as calls that go on at the same time bring them.

        `first` is the number of the first call: the same workload can be told again, of other calls.
        """
        end = first + self.calls
        for start in range(first, end, AT_ONCE):
            yield from self._together(topics, range(start, min(start + AT_ONCE, end)))

    def _together(self, topics: Topics, numbers: range) -> Iterator[tuple[str, bytes, bytes]]:
        names = [(self._lines[number % len(self._lines)], *_names(number)) for number in numbers]
        for start in range(0, max(len(lines) for lines in self._lines), BURST):
            for lines, organization, call in names:
                for transcription, value in lines[start : start + BURST]:
                    yield (
                        topics.transcription if transcription else topics.telephony,
                        call,
                        _named(value, organization, call),
                    )

    def key(self, number: int) -> str:
        """Return the key of a call."""
        organization, call = _names(number)
        return call_key(organization.decode(), call.decode())

    def told(self, number: int) -> Iterator[tuple[bool, bytes]]:
        """Yield the events of a call: whether transcription carries it, and its JSON."""
        organization, call = _names(number)
        for transcription, value in self._lines[number % len(self._lines)]:
            yield transcription, _named(value, organization, call)

    def call(self, number: int, topics: Topics) -> list[tuple[str, bytes, bytes]]:
        """Return topic, key and value of every event of one call, in the order in which they happened."""
        _, call = _names(number)
        return [
            (topics.transcription if transcription else topics.telephony, call, value)
            for transcription, value in self.told(number)
        ]

    def expected(self, number: int) -> tuple[str, Json]:
        """Return the key of a call, and its record by the reference fold."""
        organization, call = _names(number)
        template = self._records[number % len(self._records)]
        record: Json = orjson.loads(_named(template, organization, call))
        key = self.key(number)
        record["id"] = str(uuid.uuid5(_NAMESPACE, key))
        return key, record

    def size(self, number: int) -> int:
        """Return how many events a call has."""
        return len(self.templates[number % len(self.templates)])


def _named(text: bytes, organization: bytes, call: bytes) -> bytes:
    return text.replace(_CALL.encode(), call).replace(_ORGANIZATION.encode(), organization)


def _names(number: int) -> tuple[bytes, bytes]:
    return f"org-{number % _ORGANIZATIONS:02}".encode(), f"call-{number:08}".encode()


def conversation(rng: random.Random, events: int) -> list[Json]:
    """Return the events of one call under the template's name, about so many, in the order in which they happened."""
    told: list[Json] = []
    at = _BEGAN + rng.randrange(10_000)

    def tell(kind: str, source: str = "/agent", **data: Any) -> None:
        told.append(
            event(
                kind,
                at=at,
                id=f"{_CALL}:{len(told)}",
                source=source,
                call=_CALL,
                organization=_ORGANIZATION,
                **data,
            )
        )

    def turn(number: int) -> None:
        role, content = ("assistant", "user")[number % 2], rng.choice(_SAID)
        words = [
            {"word": word, "start": at + 180 * place, "end": at + 180 * place + 150}
            for place, word in enumerate(content.split())
        ]
        tell("transcript.turn", role=role, content=content, turn_id=f"turn-{number}", timestamp=at, words=words)
        if role == "assistant":
            for component in _COMPONENTS:
                tell("latency.sampled", component=component, value_ms=round(rng.lognormvariate(5, 0.5), 1))

    tell(
        "call.created",
        "/telephony",
        agent_id="agent-7",
        call_type="phone_call",
        direction=rng.choice(("inbound", "outbound")),
        from_number="+1234567890",
        to_number="+0987654321",
        metadata={"customer_id": f"customer-{rng.randrange(10_000)}"},
    )
    at += 2_000
    tell("call.started", "/telephony")
    number = 0
    while len(told) < events - 4:
        at += rng.randrange(1_500, 3_500)
        turn(number)
        number += 1
        if number % _TOOL_EVERY == 0:
            tell("tool.called", tool_call_id=f"tool-{number}", name="find_order", arguments={"order": 4711})
            at += 400
            tell("tool.returned", tool_call_id=f"tool-{number}", content={"status": "shipped"}, successful=True)
    at += 1_500
    tell("usage.reported", product="llm_usage", quantity=rng.randrange(20, 200))
    tell("call.ended", "/telephony", disconnection_reason="user_hangup", ended_by="user")
    return told
