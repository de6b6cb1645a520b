"""Reaching Kafka: within a bounded time, with one line that says what was tried where."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaConnectionError, KafkaError, KafkaTimeoutError, RequestTimedOutError

from services.ops.errors import Failure
from shared.kafka.access import KafkaAccess
from shared.kafka.diagnose import refusal

PATIENCE_SECONDS = 10
PATIENCE_MS = PATIENCE_SECONDS * 1000

_STOP_SECONDS = 2


async def why(error: BaseException, access: KafkaAccess) -> str:
    """Return what is wrong, in words for whoever has to see to it."""
    bootstrap = access.bootstrap
    match error:
        case KafkaConnectionError():
            if reason := await refusal(access):
                return f"Kafka: {reason}"
            return f"Kafka cannot be reached at {bootstrap} (CALLFOLD_KAFKA_BOOTSTRAP)"
        case TimeoutError() | KafkaTimeoutError() | RequestTimedOutError():
            return f"Kafka at {bootstrap} did not answer within {PATIENCE_SECONDS} s (CALLFOLD_KAFKA_BOOTSTRAP)"
        case _:
            return f"Kafka at {bootstrap} refused: {type(error).__name__}"


@asynccontextmanager
async def asking(access: KafkaAccess) -> AsyncIterator[None]:
    """Turn what Kafka, or the way to it, fails with into a Failure."""
    try:
        yield
    except (KafkaError, TimeoutError) as error:
        raise Failure(await why(error, access)) from error


async def partitions(access: KafkaAccess, *topics: str) -> list[TopicPartition]:
    """Return the partitions of the topics, in order.

    Raises:
        Failure: Kafka does not answer, or a topic is not there.
    """
    admin = AIOKafkaAdminClient(**access.options(), request_timeout_ms=PATIENCE_MS)
    async with asking(access):
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                await admin.start()
                # All of them: to ask for one by name would create it on some brokers.
                described = {topic["topic"]: topic["partitions"] for topic in await admin.describe_topics()}
        finally:
            await admin.close()
    for topic in topics:
        if topic not in described:
            raise Failure(f"the topic {topic} does not exist at {access.bootstrap} (CALLFOLD_TOPIC_PREFIX)")
    return [
        TopicPartition(topic, number)
        for topic in topics
        for number in sorted(partition["partition"] for partition in described[topic])
    ]


@asynccontextmanager
async def reader(access: KafkaAccess, group: str | None = None) -> AsyncIterator[AIOKafkaConsumer]:
    """Open a consumer that joins no group and commits nothing; `group` lets it ask for that group's offsets.

    Raises:
        Failure: Kafka does not answer, now or while the context lasts.
    """
    consumer = AIOKafkaConsumer(
        **access.options(),
        group_id=group,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        request_timeout_ms=PATIENCE_MS,
    )
    async with asking(access):
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                await consumer.start()
            yield consumer
        finally:
            with suppress(TimeoutError):
                async with asyncio.timeout(_STOP_SECONDS):
                    await consumer.stop()
