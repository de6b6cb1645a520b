"""Questions to Kafka, each with a time limit: which topics there are, and how they are set."""

import asyncio
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import KafkaError, for_code

from shared.kafka.access import KafkaAccess
from shared.kafka.diagnose import diagnose
from shared.kafka.errors import KafkaUnavailable

TIMEOUT_SECONDS = 10
TIMEOUT_MS = TIMEOUT_SECONDS * 1000

_STOP_SECONDS = 1


@asynccontextmanager
async def translate_errors(access: KafkaAccess) -> AsyncIterator[None]:
    """Turn aiokafka's errors, which include those of the network, and timeouts into KafkaUnavailable."""
    try:
        yield
    except (KafkaError, TimeoutError) as error:
        raise KafkaUnavailable(await diagnose(error, access)) from error


@asynccontextmanager
async def admin_client(access: KafkaAccess) -> AsyncIterator[AIOKafkaAdminClient]:
    """Open an admin client; the whole context has `TIMEOUT_SECONDS`.

    Raises:
        KafkaUnavailable: Kafka does not answer, now or while the context lasts.
    """
    client = AIOKafkaAdminClient(**access.options(), request_timeout_ms=TIMEOUT_MS)
    async with translate_errors(access):
        try:
            async with asyncio.timeout(TIMEOUT_SECONDS):
                await client.start()
                yield client
        finally:
            await client.close()


@asynccontextmanager
async def reader(
    access: KafkaAccess, group: str | None = None, *, committed_only: bool = False, **options: Any
) -> AsyncIterator[AIOKafkaConsumer]:
    """Open a consumer that joins no group and commits nothing; `group` lets it read that group's offsets.

    `committed_only` leaves out the records of transactions that are aborted or still open, as the worker does; the end
    of a partition then lies before the first open transaction. `options` are aiokafka's.

    Raises:
        KafkaUnavailable: Kafka does not answer within `TIMEOUT_SECONDS`, or fails while the context lasts.
    """
    consumer = AIOKafkaConsumer(
        **access.options(),
        group_id=group,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        isolation_level="read_committed" if committed_only else "read_uncommitted",
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


async def partitions(access: KafkaAccess, *topics: str) -> list[TopicPartition]:
    """Return the partitions of the topics, in order.

    Raises:
        KafkaUnavailable: Kafka does not answer, or a topic does not exist.
    """
    async with admin_client(access) as admin:
        # All topics: a request for one by name creates it on some brokers.
        described = {topic["topic"]: topic["partitions"] for topic in await admin.describe_topics()}
    for topic in topics:
        if topic not in described:
            raise KafkaUnavailable(f"the topic {topic} does not exist at {access.bootstrap} (CALLFOLD_TOPIC_PREFIX)")
    return [
        TopicPartition(topic, number)
        for topic in topics
        for number in sorted(partition["partition"] for partition in described[topic])
    ]


async def topic_configs(
    admin: AIOKafkaAdminClient, topics: Collection[str], names: Sequence[str]
) -> dict[str, dict[str, str]]:
    """Return these configs of each topic; those that the broker does not know are missing.

    Raises:
        KafkaError: the broker does not answer as it should, or a topic does not exist.
    """
    resources = [ConfigResource(ConfigResourceType.TOPIC, topic, configs=dict.fromkeys(names, "")) for topic in topics]
    configs: dict[str, dict[str, str]] = {}
    for response in await admin.describe_configs(resources):
        for code, message, _kind, topic, entries in response.resources:
            if code:
                raise for_code(code)(f"{topic}: {message}")
            configs[topic] = {name: value for name, value, *_ in entries if value is not None}
    return configs
