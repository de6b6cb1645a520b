"""Access to Kafka within a bounded time; every failure becomes a CommandError of one line."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaConnectionError, KafkaError, KafkaTimeoutError, RequestTimedOutError

from services.ops.errors import CommandError
from shared.kafka.access import KafkaAccess
from shared.kafka.diagnose import refusal

TIMEOUT_SECONDS = 10
TIMEOUT_MS = TIMEOUT_SECONDS * 1000

_STOP_SECONDS = 2


async def explain(error: BaseException, access: KafkaAccess) -> str:
    """Return in one line what is wrong and which setting to check."""
    bootstrap = access.bootstrap
    match error:
        case KafkaConnectionError():
            if reason := await refusal(access):
                return f"Kafka: {reason}"
            return f"Kafka cannot be reached at {bootstrap} (CALLFOLD_KAFKA_BOOTSTRAP)"
        case TimeoutError() | KafkaTimeoutError() | RequestTimedOutError():
            return f"Kafka at {bootstrap} did not answer within {TIMEOUT_SECONDS} s (CALLFOLD_KAFKA_BOOTSTRAP)"
        case _:
            return f"Kafka at {bootstrap} rejected the request: {type(error).__name__}"


@asynccontextmanager
async def translate_errors(access: KafkaAccess) -> AsyncIterator[None]:
    """Raise what aiokafka raises as a CommandError."""
    try:
        yield
    except (KafkaError, TimeoutError) as error:
        raise CommandError(await explain(error, access)) from error


async def partitions(access: KafkaAccess, *topics: str) -> list[TopicPartition]:
    """Return the partitions of the topics, in order.

    Raises:
        CommandError: Kafka does not answer, or a topic does not exist.
    """
    admin = AIOKafkaAdminClient(**access.options(), request_timeout_ms=TIMEOUT_MS)
    async with translate_errors(access):
        try:
            async with asyncio.timeout(TIMEOUT_SECONDS):
                await admin.start()
                # All topics: a broker may create a topic that is asked for by name.
                described = {topic["topic"]: topic["partitions"] for topic in await admin.describe_topics()}
        finally:
            await admin.close()
    for topic in topics:
        if topic not in described:
            raise CommandError(f"the topic {topic} does not exist at {access.bootstrap} (CALLFOLD_TOPIC_PREFIX)")
    return [
        TopicPartition(topic, number)
        for topic in topics
        for number in sorted(partition["partition"] for partition in described[topic])
    ]


@asynccontextmanager
async def reader(access: KafkaAccess, **options: Any) -> AsyncIterator[AIOKafkaConsumer]:
    """Open a consumer that joins no group and commits nothing; `options` are the consumer's.

    Raises:
        CommandError: Kafka does not answer, now or while the context lasts.
    """
    consumer = AIOKafkaConsumer(
        **access.options(),
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        request_timeout_ms=TIMEOUT_MS,
        **options,
    )
    async with translate_errors(access):
        try:
            async with asyncio.timeout(TIMEOUT_SECONDS):
                await consumer.start()
            yield consumer
        finally:
            with suppress(TimeoutError):
                async with asyncio.timeout(_STOP_SECONDS):
                    await consumer.stop()
