"""The topics at start-up: created where they are missing, and refused where they cannot work."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import KafkaError, TopicAlreadyExistsError, for_code

from shared.contract.topics import DEAD_LETTER_MAX_MESSAGE_BYTES, INPUT_MAX_MESSAGE_BYTES, Topics
from shared.kafka.access import KafkaAccess
from shared.kafka.diagnose import refusal
from shared.process.logs import logger

log = logger(__name__)

_DEAD_LETTER_PARTITIONS = 1  # an offset names a dead letter then
_SIZE = "max.message.bytes"


class KafkaUnavailable(Exception):
    """Kafka does not answer; wait, and ask again."""


class UnusableTopics(Exception):
    """The topics as they are would lose or hold up events; the message says what to change."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """How topics are created that are missing."""

    partitions: int
    replication_factor: int


async def declare(kafka: KafkaAccess, topics: Topics, wanted: Wanted) -> int:
    """Create the topics that are missing; return the number of partitions of each input topic.

    Raises:
        KafkaUnavailable: no broker answers as it should.
        UnusableTopics: the input topics differ in partitions, or the dead-letter topic takes less than they do.
    """
    admin = AIOKafkaAdminClient(**kafka.options())
    try:
        await admin.start()
        try:
            await _create_missing(admin, topics, wanted)
            return await _checked(admin, topics)
        finally:
            await admin.close()
    except (KafkaError, OSError) as error:
        raise KafkaUnavailable(await refusal(kafka) or str(error)) from error


async def _create_missing(admin: AIOKafkaAdminClient, topics: Topics, wanted: Wanted) -> None:
    there = set(await admin.list_topics())
    # The broker's clock tells how far a backlog is drained, so that a producer's cannot hold up or hasten a fold.
    sizes = dict.fromkeys(topics.inputs, (wanted.partitions, INPUT_MAX_MESSAGE_BYTES))
    sizes[topics.dead_letter] = (_DEAD_LETTER_PARTITIONS, DEAD_LETTER_MAX_MESSAGE_BYTES)
    missing = [
        NewTopic(
            name=name,
            num_partitions=partitions,
            replication_factor=wanted.replication_factor,
            topic_configs={_SIZE: str(size), "message.timestamp.type": "LogAppendTime"},
        )
        for name, (partitions, size) in sizes.items()
        if name not in there
    ]
    if missing:
        answer = await admin.create_topics(missing)
        for name, code, *_ in answer.topic_errors:
            error = for_code(code)
            if code and error is not TopicAlreadyExistsError:
                raise error(name)
            log.info("topic_created", topic=name)


async def _checked(admin: AIOKafkaAdminClient, topics: Topics) -> int:
    described = await admin.describe_topics([*topics.inputs, topics.dead_letter])
    partitions = {topic["topic"]: len(topic["partitions"]) for topic in described}
    telephony, transcription = (partitions.get(name, 0) for name in topics.inputs)
    if not telephony or not transcription or not partitions.get(topics.dead_letter):
        raise KafkaError("the topics are not there yet")
    if telephony != transcription:
        raise UnusableTopics(
            f"{topics.telephony} has {telephony} partitions and {topics.transcription} {transcription}: "
            "they need the same number, so that one worker owns a call (kafka-topics --alter --partitions)"
        )
    told = await configs(admin, [*topics.inputs, topics.dead_letter], [_SIZE])
    sizes = {name: int(config[_SIZE]) for name, config in told.items()}
    largest = max(sizes[name] for name in topics.inputs)
    if sizes[topics.dead_letter] <= largest:
        raise UnusableTopics(
            f"{topics.dead_letter} takes records of {sizes[topics.dead_letter]} bytes, the input topics of {largest}: "
            f"it needs a larger {_SIZE}, so that whatever they took can be refused (kafka-configs --alter)"
        )
    return telephony


async def configs(
    admin: AIOKafkaAdminClient, topics: Collection[str], names: Sequence[str]
) -> dict[str, dict[str, str]]:
    """Return these settings of each topic; those that the broker does not know are missing.

    Raises:
        KafkaError: the broker does not answer as it should, or there is no such topic.
    """
    resources = [ConfigResource(ConfigResourceType.TOPIC, topic, configs=dict.fromkeys(names, "")) for topic in topics]
    told: dict[str, dict[str, str]] = {}
    for answer in await admin.describe_configs(resources):
        for code, message, _kind, topic, entries in answer.resources:
            if code:
                raise for_code(code)(f"{topic}: {message}")
            told[topic] = {name: value for name, value, *_ in entries if value is not None}
    return told
