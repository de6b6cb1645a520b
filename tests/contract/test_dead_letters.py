"""What every publisher of dead letters does: in memory, and on the dead-letter topic."""

import asyncio
import os
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, replace

import confluent_kafka
import pytest

from deploy.local.ports import HOST, free_port
from services.worker.consumer.topic_setup import Wanted, declare
from services.worker.ingest.dead_letters import KafkaDeadLetters
from services.worker.memory import MemoryPublisher
from services.worker.runtime.retry import retry_until_available
from shared.contract.dead_letter_headers import OMITTED
from shared.contract.topics import DEAD_LETTER_MAX_MESSAGE_BYTES, INPUT_MAX_MESSAGE_BYTES, Topics
from shared.kafka.access import KafkaAccess
from shared.kafka.errors import KafkaUnavailable
from shared.kafka.producer import OutgoingRecord
from tests.support.eventually import scaled
from tests.support.servers.kafka import records

TOPIC = "any"
LETTER = OutgoingRecord(TOPIC, b"call-456", b"{", (("ce_id", b"1"), ("reason", b"not_json"), ("reason", b"too_deep")))


@dataclass
class Destination:
    """Where dead letters are published, and how to read what is there; both whatever the topic of the records."""

    publish: Callable[[list[OutgoingRecord]], Awaitable[None]]
    read: Callable[[], Awaitable[list[OutgoingRecord]]]


@pytest.fixture(params=["memory", "kafka"])
async def destination(request: pytest.FixtureRequest) -> AsyncIterator[Destination]:
    if request.param == "memory":
        memory = MemoryPublisher()

        async def published() -> list[OutgoingRecord]:
            return memory.published

        yield Destination(memory.publish, published)
        return
    bootstrap, topics = request.getfixturevalue("kafka_bootstrap"), Topics(request.getfixturevalue("name"))
    await retry_until_available(
        "kafka", lambda: declare(KafkaAccess(bootstrap), topics, Wanted(1, 1)), KafkaUnavailable
    )
    kafka = KafkaDeadLetters(KafkaAccess(bootstrap))
    yield Destination(lambda letters: kafka.publish(to(topics, letters)), lambda: _read(bootstrap, topics))
    await kafka.stop()


def to(topics: Topics, records: list[OutgoingRecord]) -> list[OutgoingRecord]:
    return [replace(record, topic=topics.dead_letter) for record in records]


async def _read(bootstrap: str, topics: Topics) -> list[OutgoingRecord]:
    return [
        OutgoingRecord(TOPIC, record.key, record.value, tuple(record.headers))
        for record in await records(bootstrap, topics.dead_letter)
    ]


@pytest.mark.parametrize(
    "letter",
    [
        LETTER,
        OutgoingRecord(TOPIC, b"", None, ()),
        OutgoingRecord(TOPIC, b"", b"", (("detail", "ä".encode()),)),
        OutgoingRecord(TOPIC, b"\xff\x00", b"\x00\xff", (("ce_id", b"\xff"),)),
        OutgoingRecord(TOPIC, None, b"x" * (INPUT_MAX_MESSAGE_BYTES - 1_000), LETTER.headers),
    ],
    ids=["usual", "no value", "empty", "no text", "as large as an input topic accepts"],
)
async def test_a_dead_letter_is_delivered_byte_for_byte(destination: Destination, letter: OutgoingRecord) -> None:
    await destination.publish([letter])

    assert await destination.read() == [letter]


async def test_dead_letters_are_delivered_in_order(destination: Destination) -> None:
    first = [OutgoingRecord(TOPIC, None, b"%d" % number, ()) for number in range(300)]
    await destination.publish(first)

    await destination.publish([LETTER, LETTER])

    assert await destination.read() == [*first, LETTER, LETTER]


async def test_no_dead_letters_can_be_published(destination: Destination) -> None:
    await destination.publish([])

    assert await destination.read() == []


# Kafka alone


async def test_publishing_returns_only_after_the_brokers_acknowledgement() -> None:
    # librdkafka carries a broker for tests, which can be made slow.
    slow = confluent_kafka.Producer({"test.mock.num.brokers": 1, "test.mock.broker.rtt": 400, "log_level": 0})
    (broker,) = (await asyncio.to_thread(slow.list_topics, timeout=scaled(30))).brokers.values()
    letters = KafkaDeadLetters(KafkaAccess(f"{broker.host}:{broker.port}"))
    await letters.publish([LETTER])  # which connects it

    began = time.monotonic()
    await letters.publish([LETTER])

    assert time.monotonic() - began > 0.3
    await letters.stop()


async def test_a_broker_that_does_not_answer_is_reported_as_unavailable() -> None:
    letters = KafkaDeadLetters(KafkaAccess(f"{HOST}:{free_port()}"))

    with pytest.raises(KafkaUnavailable):
        await letters.publish([LETTER])

    await letters.stop()


async def test_a_value_that_is_too_large_for_the_topic_blocks_no_other_dead_letter(
    kafka_bootstrap: str, name: str
) -> None:
    topics = Topics(name)
    await retry_until_available(
        "kafka", lambda: declare(KafkaAccess(kafka_bootstrap), topics, Wanted(1, 1)), KafkaUnavailable
    )
    letters = KafkaDeadLetters(KafkaAccess(kafka_bootstrap))
    too_large = OutgoingRecord(TOPIC, b"k", os.urandom(2 * DEAD_LETTER_MAX_MESSAGE_BYTES), LETTER.headers)
    others = [replace(LETTER, key=b"%d" % number) for number in range(3)]
    await letters.publish(to(topics, others[:1]))

    await letters.publish(to(topics, [others[1], too_large, others[2]]))

    delivered = await _read(kafka_bootstrap, topics)
    omitted = (OMITTED, b"%d" % (2 * DEAD_LETTER_MAX_MESSAGE_BYTES))
    without_value = OutgoingRecord(TOPIC, b"k", None, (*LETTER.headers, omitted))
    assert sorted(delivered, key=lambda letter: letter.key or b"") == [*others, without_value]
    await letters.stop()
