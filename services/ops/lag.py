"""How far the workers are behind, by Kafka's own account."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass

from aiokafka import AIOKafkaConsumer, TopicPartition

from services.ops import kafka
from services.ops.settings import OpsSettings


@dataclass(frozen=True, slots=True)
class PartitionLag:
    """How far one partition is behind.

    `end` is the high watermark, `committed` the group's offset, None where it never committed. `lag` counts records
    from there, or from the earliest one that is left, to the end. `lag_seconds` is the age of the oldest of them, by
    its record's timestamp; 0 without lag, None where that record cannot be had.
    """

    topic: str
    partition: int
    end: int
    committed: int | None
    lag: int
    lag_seconds: float | None


@dataclass(frozen=True, slots=True)
class TotalLag:
    """All partitions together: the sum of their records, the age of the oldest."""

    lag: int
    lag_seconds: float | None


@dataclass(frozen=True, slots=True)
class Lag:
    """How far a consumer group is behind on the input topics."""

    group: str
    partitions: Sequence[PartitionLag]
    total: TotalLag


@dataclass(frozen=True, slots=True)
class Offsets:
    """What Kafka says of one partition; `oldest` is the timestamp (Unix ms) of the first record not committed."""

    earliest: int
    end: int
    committed: int | None
    oldest: int | None = None

    @property
    def lag(self) -> int:
        """Records not committed; a topic that was made anew can be shorter than what was committed of the old one."""
        return max(self.end - (self.earliest if self.committed is None else self.committed), 0)

    @property
    def next(self) -> int:
        """The first record not committed that is still there."""
        return max(self.earliest, self.committed or 0)


def total(partitions: Sequence[PartitionLag]) -> TotalLag:
    """Return the sum of the records and the greatest age."""
    ages = [part.lag_seconds for part in partitions if part.lag_seconds is not None]
    return TotalLag(sum(part.lag for part in partitions), max(ages, default=None))


def partition_lag(part: TopicPartition, offsets: Offsets, now: float) -> PartitionLag:
    """Return how far a partition is behind at `now` (Unix seconds)."""
    age: float | None = 0.0
    if offsets.lag:
        age = None if offsets.oldest is None else max(round(now - offsets.oldest / 1000, 3), 0.0)
    return PartitionLag(part.topic, part.partition, offsets.end, offsets.committed, offsets.lag, age)


async def measure(settings: OpsSettings) -> Lag:
    """Ask Kafka; the group is neither joined nor made.

    Raises:
        Failure: Kafka does not answer, or a topic is not there.
    """
    parts = await kafka.partitions(settings.kafka, *settings.topics.inputs)
    async with kafka.reader(settings.kafka, settings.group) as consumer, asyncio.timeout(kafka.PATIENCE_SECONDS):
        offsets = await _offsets(consumer, parts)
        oldest = await _oldest(consumer, {part: found.next for part, found in offsets.items() if found.lag})
    now = time.time()
    lags = [
        partition_lag(part, Offsets(found.earliest, found.end, found.committed, oldest.get(part)), now)
        for part, found in offsets.items()
    ]
    return Lag(settings.group, lags, total(lags))


async def _offsets(consumer: AIOKafkaConsumer, parts: Sequence[TopicPartition]) -> dict[TopicPartition, Offsets]:
    consumer.assign(parts)
    # Before the ends are read: what is committed meanwhile must not lie beyond them.
    committed = await asyncio.gather(*map(consumer.committed, parts))
    earliest, ends = await asyncio.gather(consumer.beginning_offsets(parts), consumer.end_offsets(parts))
    return {part: Offsets(earliest[part], ends[part], done) for part, done in zip(parts, committed, strict=True)}


async def _oldest(consumer: AIOKafkaConsumer, places: dict[TopicPartition, int]) -> dict[TopicPartition, int]:
    """Return the timestamps of the records at these places, as far as there are any."""
    if places:
        consumer.assign(list(places))
    for part, offset in places.items():
        consumer.seek(part, offset)
    found: dict[TopicPartition, int] = {}
    for part in places:
        # Short: what lags behind may be nothing but a transaction's marks, which are no records.
        fetched = await consumer.getmany(part, timeout_ms=kafka.PATIENCE_MS // 5, max_records=1)
        if fetched:
            found[part] = fetched[part][0].timestamp
    return found
