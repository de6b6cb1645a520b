"""Whether the workers, all of them, have written what had arrived by a moment: by Kafka's own account."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import Protocol

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from services.worker.consumer.topic_setup import KafkaUnavailable
from shared.kafka.access import KafkaAccess

Ends = Mapping[TopicPartition, int]
"""Where each partition of both topics ended at some moment: the offset behind its last record."""

_PATIENCE_SECONDS = 20.0
_STOP_SECONDS = 1.0
_LOOK_MS = 500
_LOOKS = 4
_LOOK_BYTES = 1024  # a look is for whether there is a record, not for what it says


class CommitBarrier(Protocol):
    """What lies before it is written. Any method raises `KafkaUnavailable` where Kafka does not answer."""

    async def ends(self) -> Ends:
        """Return where the partitions of both topics end now."""

    async def passed(self, ends: Ends) -> bool:
        """Tell whether the group has committed past these ends, so that what was there is written, marks and all."""


class MemoryCommitBarrier:
    """Keeps to the port, in memory: `written` and `committed` are offsets of each partition."""

    def __init__(self) -> None:
        self.written: dict[TopicPartition, int] = {}
        self.committed: dict[TopicPartition, int] = {}

    async def ends(self) -> Ends:
        return dict(self.written)

    async def passed(self, ends: Ends) -> bool:
        return all(self.committed.get(part, 0) >= end for part, end in ends.items())


class KafkaCommitBarrier:
    """The input topics and the workers' group; connects anew each time it is asked, and joins no group."""

    def __init__(self, kafka: KafkaAccess, topics: Sequence[str], group: str) -> None:
        self._kafka = kafka
        self._topics = topics
        self._group = group

    async def ends(self) -> Ends:
        with _asking():
            parts = await self._partitions()
        async with self._consumer() as consumer:
            ends: Ends = await consumer.end_offsets(parts)
            return ends

    async def passed(self, ends: Ends) -> bool:
        async with self._consumer() as consumer:
            committed = await asyncio.gather(*map(consumer.committed, ends))
            # Where nothing was committed, or what was is gone by now, the worker begins with what is left.
            positions = await consumer.beginning_offsets(list(ends))
            for part, offset in zip(ends, committed, strict=True):
                positions[part] = max(positions[part], offset or 0)
            behind = {part: position for part, position in positions.items() if position < ends[part]}
            return not behind or await _hold_no_records(consumer, behind, ends)

    async def _partitions(self) -> list[TopicPartition]:
        admin = AIOKafkaAdminClient(**self._kafka.options())
        try:
            async with asyncio.timeout(_PATIENCE_SECONDS):
                await admin.start()
                described = await admin.describe_topics(list(self._topics))
        finally:
            await admin.close()
        if not all(each["partitions"] for each in described):
            raise KafkaUnavailable("the topics are not there")
        return [TopicPartition(each["topic"], part["partition"]) for each in described for part in each["partitions"]]

    @asynccontextmanager
    async def _consumer(self) -> AsyncIterator[AIOKafkaConsumer]:
        consumer = AIOKafkaConsumer(
            **self._kafka.options(),
            group_id=self._group,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            isolation_level="read_committed",
            max_partition_fetch_bytes=_LOOK_BYTES,
        )
        with _asking():
            try:
                async with asyncio.timeout(_PATIENCE_SECONDS):
                    await consumer.start()
                    yield consumer
            finally:
                with suppress(TimeoutError):
                    async with asyncio.timeout(_STOP_SECONDS):
                        await consumer.stop()


@contextmanager
def _asking() -> Iterator[None]:
    try:
        yield
    except (KafkaError, OSError) as error:
        raise KafkaUnavailable(type(error).__name__) from error


async def _hold_no_records(consumer: AIOKafkaConsumer, behind: Mapping[TopicPartition, int], ends: Ends) -> bool:
    """Tell whether nothing but transactions' marks lie before the ends: what no worker reads, none commits."""
    consumer.assign(list(behind))
    for part, position in behind.items():
        consumer.seek(part, position)
    for _ in range(_LOOKS):
        fetched = await consumer.getmany(timeout_ms=_LOOK_MS, max_records=1)
        if any(record.offset < ends[part] for part, records in fetched.items() for record in records):
            return False
        if all([await consumer.position(part) >= ends[part] for part in behind]):
            return True
    return False
