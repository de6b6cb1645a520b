"""What every commit barrier does: in memory, and with Kafka."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from deploy.local.ports import HOST, free_port
from services.worker.consumer.topic_setup import Wanted, declare
from services.worker.maintenance.commit_barrier import CommitBarrier, KafkaCommitBarrier
from services.worker.memory import MemoryCommitBarrier
from services.worker.runtime.retry import retry_until_available
from shared.contract.topics import Topics
from shared.kafka.access import KafkaAccess
from shared.kafka.errors import KafkaUnavailable
from tests.support.fixtures import PARTITIONS
from tests.support.servers.kafka import producer, send


@dataclass
class Setup:
    """A commit barrier, and how to write records to its topics and to commit them; `empty` has none."""

    commit_barrier: CommitBarrier
    telephony: TopicPartition
    transcription: TopicPartition
    empty: TopicPartition
    write: Callable[[TopicPartition, int], Awaitable[None]]
    commit: Callable[[Mapping[TopicPartition, int]], Awaitable[None]]


async def in_memory() -> Setup:
    commit_barrier = MemoryCommitBarrier()
    parts = [TopicPartition(topic, part) for topic in Topics().inputs for part in range(PARTITIONS)]
    commit_barrier.written.update(dict.fromkeys(parts, 0))

    async def write(part: TopicPartition, count: int) -> None:
        commit_barrier.written[part] += count

    async def commit(offsets: Mapping[TopicPartition, int]) -> None:
        commit_barrier.committed.update(offsets)

    return Setup(commit_barrier, parts[0], parts[PARTITIONS], parts[1], write, commit)


async def in_kafka(bootstrap: str, topics: Topics) -> Setup:
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
    # A new broker has no coordinator until it has made its topic of offsets.
    await retry_until_available("kafka", lambda: commit_barrier.passed({}), KafkaUnavailable)
    return Setup(commit_barrier, telephony, transcription, TopicPartition(topics.telephony, 1), write, commit)


@pytest.fixture(params=["memory", "kafka"])
async def setup(request: pytest.FixtureRequest) -> Setup:
    if request.param == "memory":
        return await in_memory()
    return await in_kafka(request.getfixturevalue("kafka_bootstrap"), Topics(request.getfixturevalue("name")))


async def test_the_ends_are_those_of_all_partitions_of_both_topics(setup: Setup) -> None:
    await setup.write(setup.telephony, 2)
    await setup.write(setup.transcription, 3)

    ends = await setup.commit_barrier.ends()

    assert len(ends) == 2 * PARTITIONS
    assert (
        ends[setup.telephony],
        ends[setup.transcription],
        ends[setup.empty],
    ) == (2, 3, 0)


async def test_it_is_passed_at_once_where_no_record_ever_came(setup: Setup) -> None:
    assert await setup.commit_barrier.passed(await setup.commit_barrier.ends())


async def test_it_is_passed_when_all_partitions_are_committed_to_their_ends(setup: Setup) -> None:
    await setup.write(setup.telephony, 2)
    await setup.write(setup.transcription, 3)
    ends = await setup.commit_barrier.ends()

    passed = [await setup.commit_barrier.passed(ends)]
    for offsets in (
        {setup.telephony: 2},
        {setup.transcription: 2},
        {setup.transcription: 3},
    ):
        await setup.commit(offsets)
        passed.append(await setup.commit_barrier.passed(ends))

    assert passed == [False, False, False, True]


async def test_later_records_do_not_delay_it(setup: Setup) -> None:
    await setup.write(setup.telephony, 1)
    ends = await setup.commit_barrier.ends()
    await setup.write(setup.telephony, 1)

    await setup.commit({setup.telephony: 1})

    assert await setup.commit_barrier.passed(ends)
    assert not await setup.commit_barrier.passed(await setup.commit_barrier.ends())


# Kafka alone


@pytest.fixture
async def kafka_setup(kafka_bootstrap: str, name: str) -> Setup:
    return await in_kafka(kafka_bootstrap, Topics(name))


async def transact(bootstrap: str, part: TopicPartition, *, end: Callable[[AIOKafkaProducer], Awaitable[None]]) -> None:
    async with producer(bootstrap, transactional_id=part.topic) as made:
        await made.begin_transaction()
        await made.send_and_wait(part.topic, b"{}", partition=part.partition)
        await end(made)


@pytest.mark.parametrize("end", [AIOKafkaProducer.commit_transaction, AIOKafkaProducer.abort_transaction])
async def test_it_is_passed_behind_the_mark_of_a_transaction_to_which_workers_commit(
    kafka_setup: Setup, kafka_bootstrap: str, end: Callable[[AIOKafkaProducer], Awaitable[None]]
) -> None:
    part = kafka_setup.telephony
    await kafka_setup.write(part, 1)
    await transact(kafka_bootstrap, part, end=end)
    ends = await kafka_setup.commit_barrier.ends()

    await kafka_setup.commit({part: 2})
    before = await kafka_setup.commit_barrier.passed(ends)
    await kafka_setup.commit({part: 3})

    assert ends[part] == 3
    assert (before, await kafka_setup.commit_barrier.passed(ends)) == (False, True)


async def test_it_does_not_wait_for_what_an_open_transaction_holds_up(kafka_setup: Setup, kafka_bootstrap: str) -> None:
    part = kafka_setup.telephony
    await kafka_setup.write(part, 1)
    ends: dict[TopicPartition, int] = {}

    async def look(made: AIOKafkaProducer) -> None:
        await kafka_setup.write(part, 1)
        ends.update(await kafka_setup.commit_barrier.ends())
        await made.abort_transaction()

    await transact(kafka_bootstrap, part, end=look)
    await kafka_setup.commit({part: 1})

    assert ends[part] == 1
    assert await kafka_setup.commit_barrier.passed(ends)


async def test_a_broker_that_does_not_answer_is_reported_as_unavailable() -> None:
    commit_barrier = KafkaCommitBarrier(KafkaAccess(f"{HOST}:{free_port()}"), Topics().inputs, "callfold")

    for ask in (commit_barrier.ends, lambda: commit_barrier.passed({TopicPartition("calls.telephony", 0): 1})):
        with pytest.raises(KafkaUnavailable):
            await ask()
