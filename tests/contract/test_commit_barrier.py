"""What every fence tells: memory's, and that of Kafka."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from deploy.local.ports import HOST, free_port
from services.worker.consumer.topic_setup import Wanted, declare
from services.worker.maintenance.commit_barrier import CommitBarrier, KafkaCommitBarrier, MemoryCommitBarrier
from services.worker.runtime.retry import retry_until_available
from shared.contract.topics import Topics
from shared.kafka.access import KafkaAccess
from shared.kafka.errors import KafkaUnavailable
from tests.support.fixtures import PARTITIONS
from tests.support.servers.kafka import producer, send


@dataclass
class World:
    """A fence, and how records come to its topics and are committed by the group; `empty` has none."""

    commit_barrier: CommitBarrier
    telephony: TopicPartition
    transcription: TopicPartition
    empty: TopicPartition
    write: Callable[[TopicPartition, int], Awaitable[None]]
    commit: Callable[[Mapping[TopicPartition, int]], Awaitable[None]]


async def in_memory() -> World:
    commit_barrier = MemoryCommitBarrier()
    parts = [TopicPartition(topic, part) for topic in Topics().inputs for part in range(PARTITIONS)]
    commit_barrier.written.update(dict.fromkeys(parts, 0))

    async def write(part: TopicPartition, count: int) -> None:
        commit_barrier.written[part] += count

    async def commit(offsets: Mapping[TopicPartition, int]) -> None:
        commit_barrier.committed.update(offsets)

    return World(commit_barrier, parts[0], parts[PARTITIONS], parts[1], write, commit)


async def in_kafka(bootstrap: str, topics: Topics) -> World:
    access = KafkaAccess(bootstrap)
    await retry_until_available("kafka", lambda: declare(access, topics, Wanted(PARTITIONS, 1)), KafkaUnavailable)

    async def write(part: TopicPartition, count: int) -> None:
        await send(bootstrap, [{"topic": part.topic, "partition": part.partition, "value": b"{}"}] * count)

    async def commit(offsets: Mapping[TopicPartition, int]) -> None:
        consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, group_id=topics.prefix, enable_auto_commit=False)
        await consumer.start()
        consumer.assign(list(offsets))
        await consumer.commit(dict(offsets))
        await consumer.stop()

    telephony, transcription = (TopicPartition(topic, 0) for topic in topics.inputs)
    commit_barrier = KafkaCommitBarrier(access, topics.inputs, topics.prefix)
    return World(commit_barrier, telephony, transcription, TopicPartition(topics.telephony, 1), write, commit)


@pytest.fixture(params=["memory", "kafka"])
async def translated_errors(request: pytest.FixtureRequest) -> World:
    if request.param == "memory":
        return await in_memory()
    return await in_kafka(request.getfixturevalue("kafka_bootstrap"), Topics(request.getfixturevalue("name")))


async def test_the_ends_are_those_of_all_partitions_of_both_topics(translated_errors: World) -> None:
    await translated_errors.write(translated_errors.telephony, 2)
    await translated_errors.write(translated_errors.transcription, 3)

    ends = await translated_errors.commit_barrier.ends()

    assert len(ends) == 2 * PARTITIONS
    assert (
        ends[translated_errors.telephony],
        ends[translated_errors.transcription],
        ends[translated_errors.empty],
    ) == (2, 3, 0)


async def test_where_nothing_ever_came_there_is_nothing_to_wait_for(translated_errors: World) -> None:
    assert await translated_errors.commit_barrier.passed(await translated_errors.commit_barrier.ends())


async def test_it_is_passed_when_all_partitions_are_committed_to_their_ends(translated_errors: World) -> None:
    await translated_errors.write(translated_errors.telephony, 2)
    await translated_errors.write(translated_errors.transcription, 3)
    ends = await translated_errors.commit_barrier.ends()

    passed = [await translated_errors.commit_barrier.passed(ends)]
    for offsets in (
        {translated_errors.telephony: 2},
        {translated_errors.transcription: 2},
        {translated_errors.transcription: 3},
    ):
        await translated_errors.commit(offsets)
        passed.append(await translated_errors.commit_barrier.passed(ends))

    assert passed == [False, False, False, True]


async def test_what_came_later_does_not_hold_it_up(translated_errors: World) -> None:
    await translated_errors.write(translated_errors.telephony, 1)
    ends = await translated_errors.commit_barrier.ends()
    await translated_errors.write(translated_errors.telephony, 1)

    await translated_errors.commit({translated_errors.telephony: 1})

    assert await translated_errors.commit_barrier.passed(ends)
    assert not await translated_errors.commit_barrier.passed(await translated_errors.commit_barrier.ends())


# What only Kafka has


@pytest.fixture
async def kafka_world(kafka_bootstrap: str, name: str) -> World:
    return await in_kafka(kafka_bootstrap, Topics(name))


async def transact(bootstrap: str, part: TopicPartition, *, end: Callable[[AIOKafkaProducer], Awaitable[None]]) -> None:
    async with producer(bootstrap, transactional_id=part.topic) as made:
        await made.begin_transaction()
        await made.send_and_wait(part.topic, b"{}", partition=part.partition)
        await end(made)


@pytest.mark.parametrize(
    ("end", "records"), [(AIOKafkaProducer.commit_transaction, 1), (AIOKafkaProducer.abort_transaction, 0)]
)
async def test_the_marks_of_a_transaction_are_not_waited_for_but_its_records_are(
    kafka_world: World, kafka_bootstrap: str, end: Callable[[AIOKafkaProducer], Awaitable[None]], records: int
) -> None:
    part = kafka_world.telephony
    await kafka_world.write(part, 1)
    await transact(kafka_bootstrap, part, end=end)
    ends = await kafka_world.commit_barrier.ends()

    await kafka_world.commit({part: 1})
    before = await kafka_world.commit_barrier.passed(ends)
    await kafka_world.commit({part: 1 + records})  # as the worker does, behind the last record
    after = await kafka_world.commit_barrier.passed(ends)

    assert ends[part] == 3
    assert (before, after) == (not records, True)


async def test_a_broker_that_is_away_is_said_to_be() -> None:
    commit_barrier = KafkaCommitBarrier(KafkaAccess(f"{HOST}:{free_port()}"), Topics().inputs, "callfold")

    for ask in (commit_barrier.ends, lambda: commit_barrier.passed({TopicPartition("calls.telephony", 0): 1})):
        with pytest.raises(KafkaUnavailable):
            await ask()
