"""Transactional producers for tests, and how far a group has committed while they write."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

from tests.support.servers.kafka import Message, producer


@asynccontextmanager
async def transactional(bootstrap: str, transactional_id: str, **settings: Any) -> AsyncIterator[AIOKafkaProducer]:
    async with producer(bootstrap, transactional_id=transactional_id, **settings) as made:
        yield made


async def write(made: AIOKafkaProducer, messages: Iterable[Message]) -> None:
    """Begin a transaction and write these messages in it; it stays open."""
    await made.begin_transaction()
    await asyncio.gather(*[await made.send(**each) for each in messages])


async def commit(made: AIOKafkaProducer, messages: Iterable[Message]) -> None:
    """Write messages in one transaction."""
    await write(made, messages)
    await made.commit_transaction()


async def abort(made: AIOKafkaProducer, messages: Iterable[Message]) -> None:
    """Write messages in one transaction, and abort it."""
    await write(made, messages)
    await made.abort_transaction()


def aborted(part: TopicPartition, count: int) -> list[Message]:
    """Return messages that nobody may ever read."""
    return [{"topic": part.topic, "partition": part.partition, "value": b"aborted"}] * count


async def offsets(bootstrap: str, group: str, parts: Iterable[TopicPartition]) -> dict[TopicPartition, tuple[int, int]]:
    """Return the group's offset (0 for none) and the end of each partition, the marks of transactions included."""
    admin, consumer = AIOKafkaAdminClient(bootstrap_servers=bootstrap), AIOKafkaConsumer(bootstrap_servers=bootstrap)
    await admin.start()
    await consumer.start()
    try:
        ends = await consumer.end_offsets(list(parts))
        done = await admin.list_consumer_group_offsets(group)
        return {part: (done[part].offset if part in done else 0, end) for part, end in ends.items()}
    finally:
        await consumer.stop()
        await admin.close()
