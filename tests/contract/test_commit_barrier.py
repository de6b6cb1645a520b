"""Every commit barrier: in memory, and on Kafka."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from deploy.local.ports import HOST, free_port
from services.worker.consumer.topic_setup import KafkaUnavailable, Wanted, declare
from services.worker.maintenance.commit_barrier import CommitBarrier, KafkaCommitBarrier, MemoryCommitBarrier
from services.worker.runtime.retry import retry_until_available
from shared.contract.topics import Topics
from shared.kafka.access import KafkaAccess
from tests.support.fixtures import PARTITIONS
from tests.support.servers.kafka import producer, send


@dataclass
class Environment:
    """A commit barrier, and how records are written and committed; the partition `empty` has no records."""

    commit_barrier: CommitBarrier
    telephony: TopicPartition
    transcription: TopicPartition
    empty: TopicPartition
    write: Callable[[TopicPartition, int], Awaitable[None]]
    commit: Callable[[Mapping[TopicPartition, int]], Awaitable[None]]


async def in_memory() -> Environment:
    commit_barrier = MemoryCommitBarrier()
    parts = [TopicPartition(topic, part) for topic in Topics().inputs for part in range(PARTITIONS)]
    commit_barrier.written.update(dict.fromkeys(parts, 0))

    async def write(part: TopicPartition, count: int) -> None:
        commit_barrier.written[part] += count

    async def commit(offsets: Mapping[TopicPartition, int]) -> None:
        commit_barrier.committed.update(offsets)

    return Environment(commit_barrier, parts[0], parts[PARTITIONS], parts[1], write, commit)


async def in_kafka(bootstrap: str, topics: Topics) -> Environment:
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
    return Environment(commit_barrier, telephony, transcription, TopicPartition(topics.telephony, 1), write, commit)


@pytest.fixture(params=["memory", "kafka"])
async def env(request: pytest.FixtureRequest) -> Environment:
    if request.param == "memory":
        return await in_memory()
    return await in_kafka(request.getfixturevalue("kafka_bootstrap"), Topics(request.getfixturevalue("name")))


async def test_the_ends_are_those_of_all_partitions_of_both_topics(env: Environment) -> None:
    await env.write(env.telephony, 2)
    await env.write(env.transcription, 3)

    ends = await env.commit_barrier.ends()

    assert len(ends) == 2 * PARTITIONS
    assert (
        ends[env.telephony],
        ends[env.transcription],
        ends[env.empty],
    ) == (2, 3, 0)


async def test_without_records_it_is_passed_at_once(env: Environment) -> None:
    assert await env.commit_barrier.passed(await env.commit_barrier.ends())


async def test_it_is_passed_when_all_partitions_are_committed_to_their_ends(env: Environment) -> None:
    await env.write(env.telephony, 2)
    await env.write(env.transcription, 3)
    ends = await env.commit_barrier.ends()

    passed = [await env.commit_barrier.passed(ends)]
    for offsets in (
        {env.telephony: 2},
        {env.transcription: 2},
        {env.transcription: 3},
    ):
        await env.commit(offsets)
        passed.append(await env.commit_barrier.passed(ends))

    assert passed == [False, False, False, True]


async def test_later_records_do_not_hold_it_up(env: Environment) -> None:
    await env.write(env.telephony, 1)
    ends = await env.commit_barrier.ends()
    await env.write(env.telephony, 1)

    await env.commit({env.telephony: 1})

    assert await env.commit_barrier.passed(ends)
    assert not await env.commit_barrier.passed(await env.commit_barrier.ends())


# Kafka alone


@pytest.fixture
async def kafka_env(kafka_bootstrap: str, name: str) -> Environment:
    return await in_kafka(kafka_bootstrap, Topics(name))


async def transact(bootstrap: str, part: TopicPartition, *, end: Callable[[AIOKafkaProducer], Awaitable[None]]) -> None:
    async with producer(bootstrap, transactional_id=part.topic) as made:
        await made.begin_transaction()
        await made.send_and_wait(part.topic, b"{}", partition=part.partition)
        await end(made)


@pytest.mark.parametrize(
    ("end", "records"), [(AIOKafkaProducer.commit_transaction, 1), (AIOKafkaProducer.abort_transaction, 0)]
)
async def test_it_waits_for_the_records_of_a_transaction_but_not_for_its_markers(
    kafka_env: Environment, kafka_bootstrap: str, end: Callable[[AIOKafkaProducer], Awaitable[None]], records: int
) -> None:
    part = kafka_env.telephony
    await kafka_env.write(part, 1)
    await transact(kafka_bootstrap, part, end=end)
    ends = await kafka_env.commit_barrier.ends()

    await kafka_env.commit({part: 1})
    before = await kafka_env.commit_barrier.passed(ends)
    await kafka_env.commit({part: 1 + records})  # as the worker does, after the last record
    after = await kafka_env.commit_barrier.passed(ends)

    assert ends[part] == 3
    assert (before, after) == (not records, True)


async def test_an_unreachable_broker_is_unavailable() -> None:
    commit_barrier = KafkaCommitBarrier(KafkaAccess(f"{HOST}:{free_port()}"), Topics().inputs, "callfold")

    for ask in (commit_barrier.ends, lambda: commit_barrier.passed({TopicPartition("calls.telephony", 0): 1})):
        with pytest.raises(KafkaUnavailable):
            await ask()
