"""The newest dead letters, read from the end of their topic back."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass

from aiokafka import TopicPartition
from cachetools import TTLCache

from services.console.dead_letters.rows import Newest, Row, row_of
from shared.contract.topics import Topics
from shared.dead_letters import reader
from shared.dead_letters.reader import DeadLetterReader, OffsetRanges
from shared.kafka.access import KafkaAccess
from shared.kafka.errors import KafkaUnavailable
from shared.process.single_flight import SingleFlight

MOST_DEAD_LETTERS = 5_000
"""How many are read."""

_MOST_BYTES = 64 * 1024 * 1024
_MOST_PARSED = 64 * 1024  # 1 MB that is no strict JSON takes half a second, in which nothing else runs
_FIRST_STEP = 10
_LARGEST_STEP = 1_000
_CACHE_SECONDS = 5.0
_KEY = "newest"


@dataclass(frozen=True, slots=True)
class Limits:
    """How much is read at most, and for how many seconds."""

    count: int = MOST_DEAD_LETTERS
    content: int = _MOST_BYTES
    seconds: float = 4.0


class NewestDeadLetters:
    """Reads them for all who ask within a few seconds."""

    def __init__(self, kafka: KafkaAccess, topics: Topics, limits: Limits) -> None:
        self._kafka = kafka
        self._topics = topics
        self._limits = limits
        self._cache: TTLCache[str, Newest | KafkaUnavailable] = TTLCache(1, _CACHE_SECONDS)
        self._reads = SingleFlight(self._read)

    async def get(self) -> Newest:
        """Return the newest dead letters, as they were a few seconds ago at the earliest.

        Raises:
            KafkaUnavailable: Kafka does not answer in time, or the topic does not exist.
        """
        found = self._cache.get(_KEY) or await self._reads.get(_KEY)
        if isinstance(found, KafkaUnavailable):
            raise KafkaUnavailable(str(found))
        return found

    async def _read(self, key: str) -> Newest | KafkaUnavailable:
        found = self._cache.get(key)  # of the run before, which those who waited for this one share
        if found is None:
            try:
                found = await self._from_kafka()
            except KafkaUnavailable as error:
                found = error
            self._cache[key] = found
        return found

    async def _from_kafka(self) -> Newest:
        rows: list[Row] = []
        total = 0
        try:
            async with (
                asyncio.timeout(self._limits.seconds),
                reader.opened(self._kafka, self._topics.dead_letter) as topic,
            ):
                total = topic.total
                await self._collect(topic, rows)
        except TimeoutError:
            if not rows:
                raise KafkaUnavailable(f"Kafka at {self._kafka.bootstrap} does not answer in time") from None
        rows.sort(key=lambda row: row.moment, reverse=True)
        return Newest(rows, total, is_whole=len(rows) >= total)

    async def _collect(self, topic: DeadLetterReader, rows: list[Row]) -> None:
        """Append whole steps alone, so that no newer dead letter is missing when the time is over."""
        size = 0
        for part, first, end in steps_back(topic.ranges, self._limits.count):
            found = topic.between(part, first, end, most_parsed=_MOST_PARSED)
            step = [row_of(each, self._topics) async for each in found]
            rows.extend(reversed(step))
            size += sum(row.size for row in step)
            if size >= self._limits.content:
                break


def steps_back(ranges: OffsetRanges, most: int) -> Iterator[tuple[TopicPartition, int, int]]:
    """Yield ranges of offsets from the ends of the partitions back, small ones first, of `most` offsets in all."""
    ends = {part: end for part, (_, end) in ranges.items()}
    step = _FIRST_STEP
    while most > 0 and any(ends[part] > first for part, (first, _) in ranges.items()):
        for part, (least, _) in ranges.items():
            first = max(least, ends[part] - min(step, most))
            if first < ends[part]:
                yield part, first, ends[part]
                most -= ends[part] - first
                ends[part] = first
        step = min(2 * step, _LARGEST_STEP)
