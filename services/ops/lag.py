"""How far the workers are behind: what a `read_committed` reader of the input topics still has before it."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from aiokafka import AIOKafkaConsumer, ConsumerRecord, TopicPartition

from services.ops.settings import OpsSettings
from services.ops.unread import FETCH_BYTES, FETCH_WAIT_MS, first_records
from shared.kafka import admin


@dataclass(frozen=True, slots=True)
class PartitionLag:
    """How far one partition is behind.

    `end` is the offset after the last record that is committed, where transactions are used (the last stable offset).
    `committed` is the group's offset, None where it never committed. `lag` is the distance from the first record that
    the group has not committed to `end`; 0 where only transaction markers and aborted records are left.
    `lag_seconds` is the age of that record by its timestamp; 0 without lag, None where it cannot be read.
    """

    topic: str
    partition: int
    end: int
    committed: int | None
    lag: int
    lag_seconds: float | None


@dataclass(frozen=True, slots=True)
class TotalLag:
    """All partitions together: the sum of their lags, and the greatest age."""

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
    """One partition's offsets."""

    earliest: int
    end: int
    committed: int | None

    @property
    def position(self) -> int:
        """Where a reader of the group continues; the records after its offset may have been deleted."""
        return max(self.earliest, self.committed or 0)


@dataclass(frozen=True, slots=True)
class Unread:
    """The offset and timestamp (Unix ms) of the first record that is left; no timestamp if it cannot be read."""

    offset: int
    timestamp: int | None = None


def total(partitions: Sequence[PartitionLag]) -> TotalLag:
    """Return the sum of the lags and the greatest age."""
    ages = [part.lag_seconds for part in partitions if part.lag_seconds is not None]
    return TotalLag(sum(part.lag for part in partitions), max(ages, default=None))


def partition_lag(part: TopicPartition, offsets: Offsets, unread: Unread, now: float) -> PartitionLag:
    """Return how far a partition is behind at `now` (Unix seconds)."""
    # A topic that was deleted and created again can be shorter than the offset committed for the old one.
    lag = max(offsets.end - unread.offset, 0)
    age: float | None = 0.0
    if lag:
        age = None if unread.timestamp is None else max(round(now - unread.timestamp / 1000, 3), 0.0)
    return PartitionLag(part.topic, part.partition, offsets.end, offsets.committed, lag, age)


async def measure(settings: OpsSettings) -> Lag:
    """Ask Kafka, without joining or creating the group.

    Raises:
        KafkaUnavailable: Kafka does not answer, or a topic does not exist.
    """
    parts = await admin.partitions(settings.kafka, *settings.topics.inputs)
    async with (
        admin.reader(
            settings.kafka,
            settings.group,
            committed_only=True,
            max_partition_fetch_bytes=FETCH_BYTES,
            fetch_max_wait_ms=FETCH_WAIT_MS,
        ) as consumer,
        asyncio.timeout(admin.TIMEOUT_SECONDS),
    ):
        offsets = await read_offsets(consumer, parts)
        positions = {part: found.position for part, found in offsets.items()}
        first = await first_records(consumer, positions, {part: found.end for part, found in offsets.items()})
    now = time.time()
    lags = [partition_lag(part, found, _unread(first, part, found), now) for part, found in offsets.items()]
    return Lag(settings.group, lags, total(lags))


async def read_offsets(consumer: AIOKafkaConsumer, parts: Sequence[TopicPartition]) -> dict[TopicPartition, Offsets]:
    """Return the offsets of each partition; those that are committed are of the consumer's group."""
    # Before the ends are read: an offset that is committed in between must not lie beyond them.
    committed = await asyncio.gather(*map(consumer.committed, parts))
    earliest, ends = await asyncio.gather(consumer.beginning_offsets(parts), consumer.end_offsets(parts))
    return {part: Offsets(earliest[part], ends[part], done) for part, done in zip(parts, committed, strict=True)}


def _unread(first: Mapping[TopicPartition, ConsumerRecord | None], part: TopicPartition, offsets: Offsets) -> Unread:
    if part not in first:  # Kafka did not answer in time
        return Unread(offsets.position)
    record = first[part]
    return Unread(offsets.end) if record is None else Unread(record.offset, record.timestamp)
