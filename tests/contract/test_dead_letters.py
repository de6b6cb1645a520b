"""Every publisher of dead letters: in memory, and on Kafka."""

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, replace

import confluent_kafka
import pytest

from deploy.local.ports import HOST, free_port
from services.worker.consumer.topic_setup import KafkaUnavailable, Wanted, declare
from services.worker.ingest.dead_letters import (
    DeadLetter,
    DeadLetters,
    DeadLettersUnavailable,
    KafkaDeadLetters,
    MemoryDeadLetters,
)
from services.worker.runtime.retry import retry_until_available
from shared.contract.dead_letter_headers import OMITTED
from shared.contract.topics import DEAD_LETTER_MAX_MESSAGE_BYTES, INPUT_MAX_MESSAGE_BYTES, Topics
from shared.kafka.access import KafkaAccess
from tests.support.servers.kafka import records

DEAD_LETTER = DeadLetter(b"call-456", b"{", (("ce_id", b"1"), ("reason", b"not_json"), ("reason", b"too_deep")))


@dataclass
class Environment:
    """A publisher, and how to read what it published."""

    publisher: DeadLetters
    read: Callable[[], Awaitable[list[DeadLetter]]]


@pytest.fixture(params=["memory", "kafka"])
async def env(request: pytest.FixtureRequest) -> AsyncIterator[Environment]:
    if request.param == "memory":
        memory = MemoryDeadLetters()

        async def delivered() -> list[DeadLetter]:
            return memory.delivered

        yield Environment(memory, delivered)
        return
    bootstrap, topics = request.getfixturevalue("kafka_bootstrap"), Topics(request.getfixturevalue("name"))
    await retry_until_available(
        "kafka", lambda: declare(KafkaAccess(bootstrap), topics, Wanted(1, 1)), KafkaUnavailable
    )
    kafka = KafkaDeadLetters(KafkaAccess(bootstrap), topics.dead_letter)
    yield Environment(kafka, lambda: _read(bootstrap, topics))
    await kafka.stop()


async def _read(bootstrap: str, topics: Topics) -> list[DeadLetter]:
    return [
        DeadLetter(record.key, record.value, tuple(record.headers))
        for record in await records(bootstrap, topics.dead_letter)
    ]


@pytest.mark.parametrize(
    "dead_letter",
    [
        DEAD_LETTER,
        DeadLetter(b"", None, ()),
        DeadLetter(b"", b"", (("detail", "ä".encode()),)),
        DeadLetter(b"\xff\x00", b"\x00\xff", (("ce_id", b"\xff"),)),
        DeadLetter(None, b"x" * (INPUT_MAX_MESSAGE_BYTES - 1_000), DEAD_LETTER.headers),
    ],
    ids=["usual", "no value", "empty", "no text", "as large as an input topic takes"],
)
async def test_a_dead_letter_is_published_byte_for_byte(env: Environment, dead_letter: DeadLetter) -> None:
    await env.publisher.publish([dead_letter])

    assert await env.read() == [dead_letter]


async def test_dead_letters_are_published_in_order(env: Environment) -> None:
    first = [DeadLetter(None, b"%d" % number, ()) for number in range(300)]
    await env.publisher.publish(first)

    await env.publisher.publish([DEAD_LETTER, DEAD_LETTER])

    assert await env.read() == [*first, DEAD_LETTER, DEAD_LETTER]


async def test_publishing_nothing_does_nothing(env: Environment) -> None:
    await env.publisher.publish([])

    assert await env.read() == []


# Kafka alone


async def test_publishing_returns_only_after_the_brokers_acknowledgement() -> None:
    # librdkafka carries a broker for tests, which can be slow.
    slow = confluent_kafka.Producer({"test.mock.num.brokers": 1, "test.mock.broker.rtt": 400, "log_level": 0})
    (broker,) = (await asyncio.to_thread(slow.list_topics, timeout=10)).brokers.values()
    publisher = KafkaDeadLetters(KafkaAccess(f"{broker.host}:{broker.port}"), "t")
    await publisher.publish([DEAD_LETTER])  # and so it is connected

    publishing = asyncio.ensure_future(publisher.publish([DEAD_LETTER]))
    done_at_once, _ = await asyncio.wait([publishing], timeout=0.3)
    await asyncio.wait_for(publishing, 10)

    assert not done_at_once
    await publisher.stop()


async def test_where_no_broker_answers_the_letters_have_to_wait() -> None:
    publisher = KafkaDeadLetters(KafkaAccess(f"{HOST}:{free_port()}"), "t")

    with pytest.raises(DeadLettersUnavailable):
        await publisher.publish([DEAD_LETTER])

    await publisher.stop()


async def test_a_value_that_the_topic_does_not_take_holds_up_no_other_dead_letter(
    kafka_bootstrap: str, name: str
) -> None:
    topics = Topics(name)
    await retry_until_available(
        "kafka", lambda: declare(KafkaAccess(kafka_bootstrap), topics, Wanted(1, 1)), KafkaUnavailable
    )
    publisher = KafkaDeadLetters(KafkaAccess(kafka_bootstrap), topics.dead_letter)
    too_large = DeadLetter(b"k", os.urandom(2 * DEAD_LETTER_MAX_MESSAGE_BYTES), DEAD_LETTER.headers)
    others = [replace(DEAD_LETTER, key=b"%d" % number) for number in range(3)]
    await publisher.publish(others[:1])

    await publisher.publish([others[1], too_large, others[2]])

    delivered = await _read(kafka_bootstrap, topics)
    omitted = (OMITTED, b"%d" % (2 * DEAD_LETTER_MAX_MESSAGE_BYTES))
    without_value = DeadLetter(b"k", None, (*DEAD_LETTER.headers, omitted))
    assert sorted(delivered, key=lambda each: each.key or b"") == [*others, without_value]
    await publisher.stop()
