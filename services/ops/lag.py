"""How far the workers are behind: what a `read_committed` reader of the input topics still has before it."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from aiokafka import AIOKafkaConsumer, TopicPartition

from services.ops import kafka
from services.ops.settings import OpsSettings

_SEARCH_SECONDS = 5.0
_FETCH_MS = 500
_FETCH_BYTES = 1024  # enough for one record's offset and timestamp; a broker sends at least one batch


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
        CommandError: Kafka does not answer, or a topic does not exist.
    """
    parts = await kafka.partitions(settings.kafka, *settings.topics.inputs)
    options = {"isolation_level": "read_committed", "max_partition_fetch_bytes": _FETCH_BYTES}
    async with (
        kafka.reader(settings.kafka, group_id=settings.group, **options) as consumer,
        asyncio.timeout(kafka.TIMEOUT_SECONDS),
    ):
        offsets = await _offsets(consumer, parts)
        behind = {part: found for part, found in offsets.items() if found.position < found.end}
        unread = await _first_unread(consumer, behind)
    now = time.time()
    lags = [
        partition_lag(part, found, unread.get(part, Unread(found.position)), now) for part, found in offsets.items()
    ]
    return Lag(settings.group, lags, total(lags))


async def _offsets(consumer: AIOKafkaConsumer, parts: Sequence[TopicPartition]) -> dict[TopicPartition, Offsets]:
    consumer.assign(parts)
    # Before the ends are read: an offset that is committed in between must not lie beyond them.
    committed = await asyncio.gather(*map(consumer.committed, parts))
    earliest, ends = await asyncio.gather(consumer.beginning_offsets(parts), consumer.end_offsets(parts))
    return {part: Offsets(earliest[part], ends[part], done) for part, done in zip(parts, committed, strict=True)}


async def _first_unread(
    consumer: AIOKafkaConsumer, behind: Mapping[TopicPartition, Offsets]
) -> dict[TopicPartition, Unread]:
    """Return the first record of each partition, or its end if nothing but markers and aborted records is left."""
    if behind:
        consumer.assign(list(behind))
    for part, offsets in behind.items():
        consumer.seek(part, offsets.position)
    found: dict[TopicPartition, Unread] = {}
    give_up_at = time.monotonic() + _SEARCH_SECONDS
    while (left := [part for part in behind if part not in found]) and time.monotonic() < give_up_at:
        for part, records in (await consumer.getmany(*left, timeout_ms=_FETCH_MS, max_records=1)).items():
            found[part] = Unread(records[0].offset, records[0].timestamp)
            consumer.pause(part)
        for part in left:
            # The position moves past markers and aborted records, which `getmany` does not return.
            if part not in found and await consumer.position(part) >= behind[part].end:
                found[part] = Unread(behind[part].end)
    return found
