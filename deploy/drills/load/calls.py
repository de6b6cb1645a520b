"""PURE: the records that a provider publishes, calls that are under way at the same time.

An event is made when it is due, so that its time is that of its record.
"""

import random
from collections import deque
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import count
from typing import Any

import orjson

from shared.contract.payloads import TRANSCRIPTION
from shared.contract.topics import Topics
from shared.kafka.producer import OutgoingRecord

Happening = tuple[str, str, dict[str, Any]]
"""The source, the type and the data of an event."""

_ORGANIZATIONS = 20
_LINES_OF_A_MONOLOGUE = 100
_LINES = (
    "Thank you for calling. How can I help you today?",
    "Hello, I am waiting for my order.",
    "Of course. May I have the number of your order, please?",
    "It is four seven one one, and it cost $27.",
    "It left our warehouse this morning, and it will be with you tomorrow.",
    "Could you deliver it on Friday instead?",
)
_INVALID = (b"call ended", b"[]", b"{}", b'{"specversion":"1.0","type":"call.ended"}')


def conversation(rng: random.Random) -> Iterator[Happening]:
    """Yield the events of one call, about thirty, in the order in which they happen."""
    direction = rng.choice(("inbound", "outbound"))
    number = f"+49151{rng.randrange(10**7):07}"
    yield "/telephony", "call.created", {"agent_id": "agent-7", "direction": direction, "from_number": number}
    yield "/telephony", "call.started", {"call_type": "phone_call"}
    yield from speech(rng, turns=rng.randrange(8, 14), lines=1)
    yield "/agent", "usage.reported", {"product": "llm_usage", "quantity": rng.randrange(10, 90)}
    yield "/telephony", "call.ended", {"disconnection_reason": "user_hangup"}


def speech(rng: random.Random, turns: int, lines: int) -> Iterator[Happening]:
    """Yield what a provider of transcripts publishes of one call: turns, and how long each answer took."""
    for number in range(turns):
        role = ("agent", "user")[number % 2]
        content = " ".join(rng.choices(_LINES, k=lines))
        yield "/speech", "transcript.turn", {"turn_id": f"turn-{number}", "role": role, "content": content}
        if role == "agent":
            for component in ("e2e", "llm", "tts"):
                value = round(rng.lognormvariate(6, 0.4), 1)
                yield "/agent", "latency.sampled", {"component": component, "value_ms": value}


class Provider:
    """Publishes calls of which `at_once` are under way at any time; `name` begins their ids.

    With a `key` all records have it, and so one partition; and they are transcripts alone.
    """

    def __init__(self, topics: Topics, name: str, at_once: int, key: bytes | None = None) -> None:
        self._topics = topics
        self._name = name
        self._key = key
        self._rng = random.Random(name)  # noqa: S311 - a drill, not a secret
        self._numbers = count()
        self._calls: deque[tuple[int, int, Iterator[Happening]]] = deque(self._begun() for _ in range(at_once))

    def records(self, number: int, now: datetime) -> list[OutgoingRecord]:
        """Return so many records that happen now: one of each call in turn."""
        return [self._next(now) for _ in range(number)]

    def _begun(self) -> tuple[int, int, Iterator[Happening]]:
        events = (
            conversation(self._rng) if self._key is None else speech(self._rng, turns=20, lines=_LINES_OF_A_MONOLOGUE)
        )
        return next(self._numbers), 0, events

    def _next(self, now: datetime) -> OutgoingRecord:
        while True:
            call, place, events = self._calls.popleft()
            happened = next(events, None)
            if happened is not None:
                self._calls.append((call, place + 1, events))
                return self._record(f"{self._name}-{call:06}", call % _ORGANIZATIONS, place, now, happened)
            self._calls.append(self._begun())

    def _record(self, call: str, organization: int, place: int, now: datetime, happened: Happening) -> OutgoingRecord:
        source, kind, data = happened
        body = {
            "specversion": "1.0",
            "id": f"{call}:{place}",
            "source": source,
            "type": kind,
            "subject": call,
            "time": now.astimezone(UTC).isoformat(timespec="milliseconds"),
            "organizationid": f"org-{organization:02}",
            "data": data,
        }
        topic = self._topics.transcription if kind in TRANSCRIPTION else self._topics.telephony
        return OutgoingRecord(topic, self._key or call.encode(), orjson.dumps(body), ())


def invalid(topics: Topics, number: int) -> list[OutgoingRecord]:
    """Return so many records that are no events."""
    return [
        OutgoingRecord(topics.telephony, b"call-%d" % place, _INVALID[place % len(_INVALID)], ())
        for place in range(number)
    ]
