"""A producer and a reader of Kafka for tests."""

import asyncio
import struct
from collections.abc import Iterable, Sequence
from contextlib import asynccontextmanager
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.record.util import calc_crc32c

from shared.contract.payloads import TRANSCRIPTION
from shared.contract.topics import DEAD_LETTER_MAX_MESSAGE_BYTES, Topics
from tests.support.events.makers import Json, raw

_CRC_AT = 17  # of a batch of format 2; it covers what follows it

Message = dict[str, Any]
"""The arguments of a producer's `send`."""


def message(body: Json, topics: Topics) -> Message:
    """Return an event as its producer should send it."""
    topic = topics.transcription if body["type"] in TRANSCRIPTION else topics.telephony
    return {"topic": topic, "key": body["subject"].encode(), "value": raw(body)}


@asynccontextmanager
async def producer(bootstrap: str, **settings: Any) -> Any:
    usual = {"linger_ms": 5, "max_request_size": DEAD_LETTER_MAX_MESSAGE_BYTES, "acks": "all"}
    made = AIOKafkaProducer(bootstrap_servers=bootstrap, **{**usual, **settings})
    await made.start()
    try:
        yield made
    finally:
        await made.stop()


async def send(bootstrap: str, messages: Iterable[Message], **settings: Any) -> None:
    """Publish, and return when the broker has acknowledged all of it."""
    async with producer(bootstrap, **settings) as made:
        await asyncio.gather(*[await made.send(**each) for each in messages])


async def publish(bootstrap: str, topics: Topics, bodies: Iterable[Json]) -> None:
    """Publish events as their producers should."""
    await send(bootstrap, [message(body, topics) for body in bodies])


async def send_in_batches(bootstrap: str, topic: str, partition: int, values: Iterable[bytes]) -> None:
    """Publish many values to one partition, quicker than one by one; return when the broker has all of them."""
    async with producer(bootstrap, max_batch_size=DEAD_LETTER_MAX_MESSAGE_BYTES // 4) as sender:
        sent = []
        batch = sender.create_batch()
        for value in values:
            if batch.append(key=b"k", value=value, timestamp=None) is None:
                sent.append(await sender.send_batch(batch, topic, partition=partition))
                batch = sender.create_batch()
                batch.append(key=b"k", value=value, timestamp=None)
        sent.append(await sender.send_batch(batch, topic, partition=partition))
        await asyncio.gather(*sent)


async def send_with_a_header_that_is_no_utf8(bootstrap: str, topic: str, values: Sequence[bytes]) -> None:
    """Publish values in one batch to partition 0, the header of the second one named by two bytes that are no UTF-8."""
    async with producer(bootstrap) as sender:
        batch = sender.create_batch()
        for number, value in enumerate(values):
            batch.append(key=b"k", value=value, timestamp=None, headers=[("~~", b"x")] if number == 1 else [])
        batch.close()
        raw = bytearray(batch._build())  # noqa: SLF001 - no client writes this by itself
        named = raw.index(b"~~")
        raw[named : named + 2] = b"\xff\xfe"
        struct.pack_into(">I", raw, _CRC_AT, calc_crc32c(bytes(raw[_CRC_AT + 4 :])))
        batch._build = lambda: raw  # noqa: SLF001
        await (await sender.send_batch(batch, topic, partition=0))


async def send_raw(bootstrap: str, topic: str, partition: int, batches: Iterable[bytes]) -> None:
    """Publish batches as they are, one after the other; return when the broker has acknowledged all of them."""
    async with producer(bootstrap, request_timeout_ms=120_000) as sender:
        for raw in batches:
            batch = sender.create_batch()
            batch.append(key=b"k", value=b"", timestamp=None)
            batch.close()
            batch._build = lambda raw=raw: raw  # noqa: SLF001 - no client writes this by itself
            await (await sender.send_batch(batch, topic, partition=partition))


async def records(bootstrap: str, topic: str) -> list[ConsumerRecord]:
    """Return all records of a topic, partition by partition."""
    consumer = AIOKafkaConsumer(
        bootstrap_servers=bootstrap,
        auto_offset_reset="earliest",
        max_partition_fetch_bytes=DEAD_LETTER_MAX_MESSAGE_BYTES,
    )
    await consumer.start()
    try:
        partitions = [TopicPartition(topic, number) for number in sorted(await _partitions(consumer, topic))]
        consumer.assign(partitions)
        ends = await consumer.end_offsets(partitions)
        found: list[ConsumerRecord] = []
        while any([await consumer.position(each) < ends[each] for each in partitions]):
            for batch in (await consumer.getmany(timeout_ms=500)).values():
                found += batch
        return sorted(found, key=lambda record: (record.partition, record.offset))
    finally:
        await consumer.stop()


async def _partitions(consumer: AIOKafkaConsumer, topic: str) -> Sequence[int]:
    await consumer._client.force_metadata_update()  # noqa: SLF001 - a topic that is new may not be known yet
    found: Sequence[int] = consumer.partitions_for_topic(topic) or ()
    return found


async def lag(bootstrap: str, group: str, topics: Topics) -> int:
    """Return how many records of the input topics the group has not committed."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap)
    await admin.start()
    await consumer.start()
    try:
        committed = await admin.list_consumer_group_offsets(group)
        found = [await _partitions(consumer, topic) for topic in topics.inputs]
        partitions = [TopicPartition(topic, n) for topic, ns in zip(topics.inputs, found, strict=True) for n in ns]
        ends = await consumer.end_offsets(partitions)
        return sum(ends[each] - (committed[each].offset if each in committed else 0) for each in partitions)
    finally:
        await consumer.stop()
        await admin.close()
