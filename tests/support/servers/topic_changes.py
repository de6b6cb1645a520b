"""What operators do to topics and groups: delete, make anew, add partitions, delete records, forget offsets."""

from collections.abc import Sequence

from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewPartitions, NewTopic, RecordsToDelete
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import for_code

from shared.contract.topics import INPUT_MAX_MESSAGE_BYTES
from shared.kafka.access import KafkaAccess
from shared.kafka.admin import admin_client, partitions
from shared.kafka.errors import KafkaUnavailable
from tests.support.eventually import eventually


async def delete_topics(bootstrap: str, *topics: str) -> None:
    """Delete the topics, and return when the broker knows them no more."""
    async with admin_client(KafkaAccess(bootstrap)) as admin:
        response = await admin.delete_topics(list(topics))
        for _, code, *_ in response.topic_error_codes:
            if code:
                raise for_code(code)
        await eventually(lambda: _all_gone(admin, topics))


async def _all_gone(admin: AIOKafkaAdminClient, topics: Sequence[str]) -> bool:
    return not set(topics) & set(await admin.list_topics())


async def create_topic(bootstrap: str, topic: str, count: int, **configs: str) -> None:
    """Create a topic, and return when its partitions have a leader."""
    made = {"message.timestamp.type": "LogAppendTime", "max.message.bytes": str(INPUT_MAX_MESSAGE_BYTES)} | {
        name.replace("_", "."): each for name, each in configs.items()
    }
    async with admin_client(KafkaAccess(bootstrap)) as admin:
        response = await admin.create_topics([NewTopic(topic, count, 1, topic_configs=made)])
        for _, code, *_ in response.topic_errors:
            if code:
                raise for_code(code)
    await _wait_for(bootstrap, topic, count)


async def add_partitions(bootstrap: str, topic: str, count: int) -> None:
    """Give the topic so many partitions."""
    async with admin_client(KafkaAccess(bootstrap)) as admin:
        await admin.create_partitions({topic: NewPartitions(count)})
    await _wait_for(bootstrap, topic, count)


async def delete_records(bootstrap: str, topic: str, befores: dict[int, int]) -> None:
    """Delete the records before these offsets, as retention does."""
    wanted = {TopicPartition(topic, number): RecordsToDelete(offset) for number, offset in befores.items()}
    async with admin_client(KafkaAccess(bootstrap)) as admin:
        await admin.delete_records(wanted)


async def configure(bootstrap: str, topic: str, **configs: str) -> None:
    """Set these configs of a topic, and the others to their defaults."""
    async with admin_client(KafkaAccess(bootstrap)) as admin:
        await admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, topic, configs)])


async def _wait_for(bootstrap: str, topic: str, count: int) -> None:
    async def known() -> bool:
        try:
            return len(await partitions(KafkaAccess(bootstrap), topic)) == count
        except KafkaUnavailable:
            return False

    await eventually(known)
