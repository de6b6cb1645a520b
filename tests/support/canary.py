"""In-memory twins of what the canary publishes to and reads from, and a clock that sleeping moves."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from services.monitor.canary.ports import Answer, ApiUnavailable
from services.monitor.canary.run import CanaryReport, Limits, Observer, Stage
from shared.config.price_book import load
from shared.contract.topics import Topics
from shared.fold.fold import fold
from shared.kafka.errors import KafkaUnavailable
from shared.kafka.producer import OutgoingRecord
from tests.support.events.makers import Json, decoded

BOOK = load()


@dataclass
class MemoryCallfold:
    """Folds what is published, and lets it be read `behind` seconds later; the rest can be changed at any time."""

    behind: float = 0.5
    kafka: bool = True
    api: bool = True
    before_publishing: Callable[[], Awaitable[None]] | None = None
    now: float = 0.0
    reads: int = 0
    bodies: list[tuple[float, Json]] = field(default_factory=list)
    change: Callable[[Any], None] = lambda _record: None
    at: dict[float, Callable[["MemoryCallfold"], None]] = field(default_factory=dict)
    """What happens at what time."""

    async def publish(self, records: Sequence[OutgoingRecord]) -> None:
        if self.before_publishing:
            await self.before_publishing()
        if not self.kafka:
            raise KafkaUnavailable("Kafka is away")
        self.bodies += [(self.now, orjson.loads(each.value or b"")) for each in records]

    async def read(self, call_id: str, known: Answer) -> Answer:
        self.reads += 1
        if not self.api:
            raise ApiUnavailable("the API is away")
        bodies = [body for at, body in self.bodies if at + self.behind <= self.now and body["subject"] == call_id]
        if not bodies:
            return Answer()
        folded = fold(decoded(bodies), BOOK)
        record = orjson.loads(orjson.dumps(folded.record))
        self.change(record)
        etag, finality = repr(record), "final" if folded.ended else "live"
        return Answer(known.record if etag == known.etag else record, etag, finality)

    async def sleep(self, seconds: float) -> None:
        self.now += seconds
        for at in [each for each in self.at if each <= self.now]:
            self.at.pop(at)(self)


@dataclass
class Observed(Observer):
    """What was measured."""

    readable_seconds: list[float] = field(default_factory=list)
    final_seconds: list[float] = field(default_factory=list)
    results: list[str] = field(default_factory=list)

    def readable(self, seconds: float) -> None:
        self.readable_seconds.append(seconds)

    def final(self, seconds: float) -> None:
        self.final_seconds.append(seconds)

    def result(self, report: CanaryReport) -> None:
        self.results.append(str(report.result))


def stage(callfold: MemoryCallfold, observed: Observer, limits: Limits | None = None) -> Stage:
    return Stage(
        Topics(),
        callfold,
        callfold,
        observed,
        limits or Limits(),
        now=lambda: callfold.now,
        sleep=callfold.sleep,
    )
