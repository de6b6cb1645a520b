"""Producing many records, until every in-sync replica acknowledges them, except those that are too large."""

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.errors import MessageSizeTooLargeError, OutOfOrderSequenceNumber
from aiokafka.partitioner import DefaultPartitioner

from shared.kafka.access import KafkaAccess

# aiokafka's default of 16 KB costs a round trip to the broker for every thirty records. This is half of a topic's
# default limit, so that no batch is too large unless a record is.
_BATCH_BYTES = 512 * 1024
# More than a fetch can hold, decompressed: the broker alone decides what is too large.
_MAX_REQUEST_BYTES = 1024**3
_partition = DefaultPartitioner()


@dataclass(frozen=True, slots=True)
class OutgoingRecord:
    """A record for a topic; not both key and value are None."""

    topic: str
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes]]


class RecordPublisher(Protocol):
    """Where records are published."""

    async def publish(self, records: Sequence[OutgoingRecord]) -> None:
        """Return when every record is acknowledged.

        Raises:
            KafkaUnavailable: not all are acknowledged; some may be.
        """


class RecordProducer:
    """An idempotent producer, which connects when it is first used; `options` are aiokafka's."""

    def __init__(self, kafka: KafkaAccess, **options: Any) -> None:
        self._kafka = kafka
        self._options = options
        self._producer: AIOKafkaProducer | None = None

    async def deliver(self, records: Sequence[OutgoingRecord]) -> list[OutgoingRecord]:
        """Return the records that are too large for their topics, when all others are acknowledged.

        Raises:
            KafkaError: not all are acknowledged; some may be.
        """
        outcomes = await self._send(records)
        too_large = [record for record, outcome in outcomes if isinstance(outcome, MessageSizeTooLargeError)]
        following = [record for record, outcome in outcomes if isinstance(outcome, OutOfOrderSequenceNumber)]
        if too_large or following:
            # aiokafka counts a rejected record as sent: the broker then rejects all that follow it.
            await self.stop()
        expected = (MessageSizeTooLargeError, OutOfOrderSequenceNumber) if too_large else ()
        for _, outcome in outcomes:
            if isinstance(outcome, BaseException) and not isinstance(outcome, expected):
                raise outcome
        if len(records) == 1:
            return too_large
        # One by one: others of the same batch may have made it too large.
        rejected = [each for record in too_large for each in await self.deliver([record])]
        return [*rejected, *(await self.deliver(following) if following else ())]

    async def stop(self) -> None:
        """Close the connection."""
        producer, self._producer = self._producer, None
        if producer is not None:
            await producer.stop()

    async def _send(self, records: Sequence[OutgoingRecord]) -> list[tuple[OutgoingRecord, Any]]:
        """Return each record with the outcome of its batch: an exception, or the broker's response.

        Batches are filled here: `producer.send` makes a future for each record, which takes twice the time.
        """
        producer = await self._started()
        batches = [
            each
            for part, group in (await _by_partition(producer, records)).items()
            for each in _batches(producer, part, group)
        ]
        # `send_batch` returns when the batch is queued; only its future waits for the broker.
        queued = [await producer.send_batch(batch, part.topic, partition=part.partition) for part, batch, _ in batches]
        outcomes = await asyncio.gather(*queued, return_exceptions=True)
        return [(each, outcome) for (_, _, group), outcome in zip(batches, outcomes, strict=True) for each in group]

    async def _started(self) -> AIOKafkaProducer:
        if self._producer is None:
            usual = {
                **self._kafka.options(),
                "acks": "all",
                "enable_idempotence": True,
                "max_request_size": _MAX_REQUEST_BYTES,
                "max_batch_size": _BATCH_BYTES,
                # A record that fits into one topic compressed must fit into another, and into the same again.
                "compression_type": "gzip",
            }
            producer = AIOKafkaProducer(**usual | self._options)
            try:
                await producer.start()
            except BaseException:
                await producer.stop()
                raise
            self._producer = producer
        return self._producer


async def _by_partition(
    producer: AIOKafkaProducer, records: Sequence[OutgoingRecord]
) -> dict[TopicPartition, list[OutgoingRecord]]:
    """Return the records by the partition of their key, as every client computes it, or a random one without a key."""
    partitions = {topic: sorted(await producer.partitions_for(topic)) for topic in {each.topic for each in records}}
    groups: defaultdict[TopicPartition, list[OutgoingRecord]] = defaultdict(list)
    for each in records:
        numbers = partitions[each.topic]
        number = numbers[0] if len(numbers) == 1 else _partition(each.key, numbers, numbers)
        groups[TopicPartition(each.topic, number)].append(each)
    return groups


def _batches(
    producer: AIOKafkaProducer, part: TopicPartition, records: Iterable[OutgoingRecord]
) -> Iterator[tuple[TopicPartition, Any, list[OutgoingRecord]]]:
    """Yield batches with their records; a record that is too large for one has a batch of its own."""
    batch, group = producer.create_batch(), list[OutgoingRecord]()
    for each in records:
        if not _append(batch, each):
            yield part, batch, group
            batch, group = producer.create_batch(), []
            _append(batch, each)
        group.append(each)
    if group:
        yield part, batch, group


def _append(batch: Any, record: OutgoingRecord) -> bool:
    headers = list(record.headers)
    return batch.append(key=record.key, value=record.value, timestamp=None, headers=headers) is not None
