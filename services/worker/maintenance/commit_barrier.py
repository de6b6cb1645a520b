"""Whether all workers of the group have written what had arrived by a moment, by the offsets that they committed."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Protocol

from aiokafka import TopicPartition

from shared.kafka.access import KafkaAccess
from shared.kafka.admin import TIMEOUT_SECONDS, first_records, partitions, reader

Ends = Mapping[TopicPartition, int]
"""Where each partition of both topics ended at some moment: the offset behind its last record."""

_FETCH_BYTES = 1024  # whether there is a record matters, not what it holds


class CommitBarrier(Protocol):
    """What lies before it is written. Any method raises `KafkaUnavailable` where Kafka does not answer."""

    async def ends(self) -> Ends:
        """Return where the partitions of both topics end now."""

    async def passed(self, ends: Ends) -> bool:
        """Return whether the group has committed past these ends, so that all before them is written and marked."""


class MemoryCommitBarrier:
    """The port in memory; `written` and `committed` are offsets of each partition."""

    def __init__(self) -> None:
        self.written: dict[TopicPartition, int] = {}
        self.committed: dict[TopicPartition, int] = {}

    async def ends(self) -> Ends:
        return dict(self.written)

    async def passed(self, ends: Ends) -> bool:
        return all(self.committed.get(part, 0) >= end for part, end in ends.items())


class KafkaCommitBarrier:
    """The input topics and the workers' group; connects anew for each call, and joins no group."""

    def __init__(self, kafka: KafkaAccess, topics: Sequence[str], group: str) -> None:
        self._kafka = kafka
        self._topics = topics
        self._group = group

    async def ends(self) -> Ends:
        parts = await partitions(self._kafka, *self._topics)
        async with reader(self._kafka, committed_only=True) as consumer, asyncio.timeout(TIMEOUT_SECONDS):
            ends: Ends = await consumer.end_offsets(parts)
            return ends

    async def passed(self, ends: Ends) -> bool:
        async with (
            reader(self._kafka, self._group, committed_only=True, max_partition_fetch_bytes=_FETCH_BYTES) as consumer,
            asyncio.timeout(TIMEOUT_SECONDS),
        ):
            committed = await asyncio.gather(*map(consumer.committed, ends))
            # Where nothing is committed, or what is was deleted since, the worker starts with what is left.
            positions = await consumer.beginning_offsets(list(ends))
            for part, offset in zip(ends, committed, strict=True):
                positions[part] = max(positions[part], offset or 0)
            # Nobody commits past transaction markers at the end of a partition: they are no records.
            first = await first_records(consumer, positions, ends)
            return all(part in first and first[part] is None for part in positions)
