"""The topics at start-up: the missing ones are created; those that cannot work end the start."""

from collections.abc import Mapping
from dataclasses import dataclass

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import TopicAlreadyExistsError, for_code

from shared.contract.topics import DEAD_LETTER_MAX_MESSAGE_BYTES, INPUT_MAX_MESSAGE_BYTES, Topics
from shared.kafka.access import KafkaAccess
from shared.kafka.admin import admin_client, topic_configs
from shared.kafka.errors import KafkaUnavailable
from shared.process.logs import logger

log = logger(__name__)

_DEAD_LETTER_PARTITIONS = 1  # so that an offset alone names a dead letter
_SIZE = "max.message.bytes"
_CLOCK = "message.timestamp.type"
_BROKERS_CLOCK = "LogAppendTime"


class UnusableTopics(Exception):
    """Events would be lost or delayed with the topics as they are; the message says what to change."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """How missing topics are created."""

    partitions: int
    replication_factor: int


async def declare(kafka: KafkaAccess, topics: Topics, wanted: Wanted) -> int:
    """Create the topics that are missing; return the number of partitions of each input topic, the smaller one.

    Raises:
        KafkaUnavailable: Kafka does not answer as it should.
        UnusableTopics: the dead-letter topic accepts less than the input topics.
    """
    async with admin_client(kafka) as admin:
        await _create_missing(admin, topics, wanted)
        return await _checked(admin, topics)


async def _create_missing(admin: AIOKafkaAdminClient, topics: Topics, wanted: Wanted) -> None:
    existing = set(await admin.list_topics())
    # The fold schedule reads the timestamps: they come from the broker's clock, so that no producer's delays a fold.
    sizes = dict.fromkeys(topics.inputs, (wanted.partitions, INPUT_MAX_MESSAGE_BYTES))
    sizes[topics.dead_letter] = (_DEAD_LETTER_PARTITIONS, DEAD_LETTER_MAX_MESSAGE_BYTES)
    missing = [
        NewTopic(
            name=name,
            num_partitions=partitions,
            replication_factor=wanted.replication_factor,
            topic_configs={_SIZE: str(size), _CLOCK: _BROKERS_CLOCK},
        )
        for name, (partitions, size) in sizes.items()
        if name not in existing
    ]
    if missing:
        response = await admin.create_topics(missing)
        for name, code, *_ in response.topic_errors:
            error = for_code(code)
            if code and error is not TopicAlreadyExistsError:
                raise error(name)
            log.info("topic_created", topic=name)


async def _checked(admin: AIOKafkaAdminClient, topics: Topics) -> int:
    described = await admin.describe_topics([*topics.inputs, topics.dead_letter])
    partitions = {topic["topic"]: len(topic["partitions"]) for topic in described}
    telephony, transcription = (partitions.get(name, 0) for name in topics.inputs)
    if not telephony or not transcription or not partitions.get(topics.dead_letter):
        raise KafkaUnavailable("the topics do not exist yet")
    configs = await topic_configs(admin, [*topics.inputs, topics.dead_letter], [_SIZE, _CLOCK])
    _warn_of_clocks({name: configs[name].get(_CLOCK, _BROKERS_CLOCK) for name in topics.inputs})
    sizes = {name: int(config[_SIZE]) for name, config in configs.items()}
    largest = max(sizes[name] for name in topics.inputs)
    if sizes[topics.dead_letter] <= largest:
        raise UnusableTopics(
            f"{topics.dead_letter} accepts records of {sizes[topics.dead_letter]} bytes, the input topics of "
            f"{largest}: it needs a larger {_SIZE}, so that every invalid record fits (kafka-configs --alter)"
        )
    return min(telephony, transcription)  # one is altered before the other: the worker reports it


def _warn_of_clocks(clocks: Mapping[str, str]) -> None:
    others = sorted(name for name, clock in clocks.items() if clock != _BROKERS_CLOCK)
    if others:
        log.warning(
            "topics_on_producers_clocks",
            topics=others,
            hint=f"kafka-configs --alter --add-config {_CLOCK}={_BROKERS_CLOCK}: docs/runbooks/producers-clocks.md",
        )
