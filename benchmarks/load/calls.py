"""The calls that are measured: turns with words, four latency components, tools, usage, lifecycle; seeded.

A call is one of a few templates under its own name, so the reference implementation folds each template once.
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

Message = tuple[str, bytes, bytes]
"""Topic, key and value."""

BURST = 6
"""Events of a call that arrive together."""

CALL, ORGANIZATION = "call-template0", "org-template0"
"""Names in templates, replaced by those of each call."""

_TEMPLATES = 40
_ORGANIZATIONS = 20
_BEGAN = 1_703_097_600_000
_COMPONENTS = ("e2e", "llm", "tts", "asr")
_TOOL_EVERY = 12
_NAMESPACE = uuid.UUID("3c9a1c0e-8a83-5d5b-9c0b-6f3f0a6f1d42")
_LINES = (
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
    """`calls` of about `events` events each, named by their number; `at_once` of them are active at the same time."""

    events: int
    calls: int
    seed: int = 1
    ended: bool = True
    at_once: int = 2_000

    @property
    def name(self) -> str:
        return f"{self.events} events a call"

    @cached_property
    def templates(self) -> list[list[Json]]:
        rng = random.Random(self.seed)
        made = [conversation(rng, self.events) for _ in range(min(_TEMPLATES, self.calls))]
        return made if self.ended else [each[:-1] for each in made]

    @cached_property
    def total(self) -> int:
        """How many events there are in all calls."""
        return sum(map(self.size, range(self.calls)))

    @cached_property
    def _lines(self) -> list[list[tuple[bool, bytes]]]:
        return [[(body["type"] in TRANSCRIPTION, orjson.dumps(body)) for body in each] for each in self.templates]

    @cached_property
    def _records(self) -> list[bytes]:
        return [orjson.dumps(reference_fold(template, Book())) for template in self.templates]

    def size(self, number: int) -> int:
        """Return how many events a call has."""
        return len(self.templates[number % len(self.templates)])

    def messages(self, topics: Topics, first: int = 0) -> Iterator[Message]:
        """Yield all events as concurrent calls bring them; `first` is the number of the first call."""
        end, longest = first + self.calls, max(map(len, self._lines))
        for start in range(first, end, self.at_once):
            for place in range(0, longest, BURST):
                for number in range(start, min(start + self.at_once, end)):
                    yield from self.call(number, topics, slice(place, place + BURST))

    def call(self, number: int, topics: Topics, part: slice = slice(None)) -> list[Message]:
        """Return a part of a call's events in the order in which they happened."""
        organization, call = _names(number)
        return [
            (topics.transcription if transcription else topics.telephony, call, _named(value, organization, call))
            for transcription, value in self._lines[number % len(self._lines)][part]
        ]

    def key(self, number: int) -> str:
        """Return `<organization>/<call>`."""
        organization, call = _names(number)
        return call_key(organization.decode(), call.decode())

    def expected(self, number: int) -> tuple[str, Json]:
        """Return a call's key and its record by the reference implementation."""
        key = self.key(number)
        record: Json = orjson.loads(_named(self._records[number % len(self._records)], *_names(number)))
        record["id"] = str(uuid.uuid5(_NAMESPACE, key))
        return key, record


def _named(text: bytes, organization: bytes, call: bytes) -> bytes:
    return text.replace(CALL.encode(), call).replace(ORGANIZATION.encode(), organization)


def _names(number: int) -> tuple[bytes, bytes]:
    return f"org-{number % _ORGANIZATIONS:02}".encode(), f"call-{number:08}".encode()


def conversation(rng: random.Random, events: int) -> list[Json]:
    """Return about so many events of one call under the template's name, in the order in which they happened."""
    made: list[Json] = []
    at = _BEGAN + rng.randrange(10_000)

    def add(kind: str, source: str = "/agent", **data: Any) -> None:
        identity = {"id": f"{CALL}:{len(made)}", "call": CALL, "organization": ORGANIZATION}
        made.append(event(kind, at=at, source=source, **identity, **data))

    def turn(number: int) -> None:
        role, content = ("assistant", "user")[number % 2], rng.choice(_LINES)
        words = [
            {"word": word, "start": at + 180 * place, "end": at + 180 * place + 150}
            for place, word in enumerate(content.split())
        ]
        add("transcript.turn", role=role, content=content, turn_id=f"turn-{number}", timestamp=at, words=words)
        if role == "assistant":
            for component in _COMPONENTS:
                add("latency.sampled", component=component, value_ms=round(rng.lognormvariate(5, 0.5), 1))

    add(
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
    add("call.started", "/telephony")
    number = 0
    while len(made) < events - 4:
        at += rng.randrange(1_500, 3_500)
        turn(number)
        number += 1
        if number % _TOOL_EVERY == 0:
            add("tool.called", tool_call_id=f"tool-{number}", name="find_order", arguments={"order": 4711})
            at += 400
            add("tool.returned", tool_call_id=f"tool-{number}", content={"status": "shipped"}, successful=True)
    at += 1_500
    add("usage.reported", product="llm_usage", quantity=rng.randrange(20, 200))
    add("call.ended", "/telephony", disconnection_reason="user_hangup", ended_by="user")
    return made
