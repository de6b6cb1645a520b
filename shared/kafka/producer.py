"""Sending many records so that all are acknowledged by every replica in sync, but for those that are too large."""

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.errors import MessageSizeTooLargeError, OutOfOrderSequenceNumber
from aiokafka.partitioner import DefaultPartitioner

from shared.kafka.access import KafkaAccess

# With aiokafka's own 16 KB, thousands of records are a round trip to the broker for every thirty of them. This is half
# of what a topic takes by Kafka's own default, so that no batch is too large where its records are not.
_BATCH_BYTES = 512 * 1024
# More than a fetch can hold, decompressed: what the broker takes is for the broker to say.
_MAX_REQUEST_BYTES = 1024**3
_partition = DefaultPartitioner()

Place = tuple[str, int]
"""A topic and a partition of it."""


@dataclass(frozen=True, slots=True)
class OutgoingRecord:
    """A record for a topic; not both key and value are None."""

    topic: str
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes]]


class RecordProducer:
    """An idempotent producer, which connects when it is first used."""

    def __init__(self, kafka: KafkaAccess, **options: Any) -> None:
        """`options` are the producer's."""
        self._kafka = kafka
        self._options = options
        self._producer: AIOKafkaProducer | None = None

    async def deliver(self, records: Sequence[OutgoingRecord]) -> list[OutgoingRecord]:
        """Return those that their topics find too large, when all others are acknowledged.

        Raises:
            KafkaError: not all are acknowledged; some may be.
        """
        outcomes = await self._sent(records)
        too_large = [record for record, outcome in outcomes if isinstance(outcome, MessageSizeTooLargeError)]
        behind = [record for record, outcome in outcomes if isinstance(outcome, OutOfOrderSequenceNumber)]
        if too_large or behind:
            # aiokafka counts a record that was refused among those sent: the broker takes none that follows it.
            await self.stop()
        expected = (MessageSizeTooLargeError, OutOfOrderSequenceNumber) if too_large else ()
        for _, outcome in outcomes:
            if isinstance(outcome, BaseException) and not isinstance(outcome, expected):
                raise outcome
        if len(records) == 1:
            return too_large
        # Each by itself: it may have been its neighbours in the batch that were too much.
        refused = [each for record in too_large for each in await self.deliver([record])]
        return [*refused, *(await self.deliver(behind) if behind else ())]

    async def stop(self) -> None:
        """Close the connection."""
        producer, self._producer = self._producer, None
        if producer is not None:
            await producer.stop()

    async def _sent(self, records: Sequence[OutgoingRecord]) -> list[tuple[OutgoingRecord, Any]]:
        """Return each record with what became of it: an exception, or whatever the broker said of its batch.

        Batches are filled here: a future for each record costs as much as all the rest of sending it.
        """
        producer = await self._started()
        batches = [
            each
            for part, group in (await _placed(producer, records)).items()
            for each in _filled(producer, part, group)
        ]
        # `send_batch` returns when the batch is queued; only its future waits for the broker.
        queued = [await producer.send_batch(batch, topic, partition=number) for (topic, number), batch, _ in batches]
        outcomes = await asyncio.gather(*queued, return_exceptions=True)
        return [(each, outcome) for (_, _, held), outcome in zip(batches, outcomes, strict=True) for each in held]

    async def _started(self) -> AIOKafkaProducer:
        if self._producer is None:
            producer = AIOKafkaProducer(
                **self._kafka.options(),
                acks="all",
                enable_idempotence=True,
                max_request_size=_MAX_REQUEST_BYTES,
                max_batch_size=_BATCH_BYTES,
                # What a topic took compressed must be taken by another too, and by the same again.
                compression_type="gzip",
                **self._options,
            )
            try:
                await producer.start()
            except BaseException:
                await producer.stop()
                raise
            self._producer = producer
        return self._producer


async def _placed(producer: AIOKafkaProducer, records: Sequence[OutgoingRecord]) -> dict[Place, list[OutgoingRecord]]:
    """Return the records by topic and partition: that of the key as every client has it, a random one without a key."""
    partitions = {topic: sorted(await producer.partitions_for(topic)) for topic in {each.topic for each in records}}
    placed: defaultdict[Place, list[OutgoingRecord]] = defaultdict(list)
    for each in records:
        there = partitions[each.topic]
        placed[each.topic, there[0] if len(there) == 1 else _partition(each.key, there, there)].append(each)
    return placed


def _filled(
    producer: AIOKafkaProducer, place: Place, records: Iterable[OutgoingRecord]
) -> Iterator[tuple[Place, Any, list[OutgoingRecord]]]:
    """Yield batches with the records that each of them holds; a record that is too large for one has one for itself."""
    batch, held = producer.create_batch(), list[OutgoingRecord]()
    for each in records:
        if not _added(batch, each):
            yield place, batch, held
            batch, held = producer.create_batch(), []
            _added(batch, each)
        held.append(each)
    if held:
        yield place, batch, held


def _added(batch: Any, record: OutgoingRecord) -> bool:
    headers = list(record.headers)
    return batch.append(key=record.key, value=record.value, timestamp=None, headers=headers) is not None
