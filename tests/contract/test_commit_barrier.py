"""What every fence tells: memory's, and that of Kafka."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from deploy.local.ports import HOST, free_port
from services.worker.consumer.topic_setup import KafkaUnavailable, Wanted, declare
from services.worker.maintenance.commit_barrier import Fence, KafkaFence, MemoryFence
from services.worker.runtime.retry import patiently
from shared.contract.topics import Topics
from shared.kafka.access import KafkaAccess
from tests.support.fixtures import PARTITIONS
from tests.support.servers.kafka import producer, send


@dataclass
class World:
    """A fence, and how records come to its topics and are committed by the group; `empty` has none."""

    fence: Fence
    telephony: TopicPartition
    transcription: TopicPartition
    empty: TopicPartition
    write: Callable[[TopicPartition, int], Awaitable[None]]
    commit: Callable[[Mapping[TopicPartition, int]], Awaitable[None]]


async def in_memory() -> World:
    fence = MemoryFence()
    parts = [TopicPartition(topic, part) for topic in Topics().inputs for part in range(PARTITIONS)]
    fence.written.update(dict.fromkeys(parts, 0))

    async def write(part: TopicPartition, count: int) -> None:
        fence.written[part] += count

    async def commit(offsets: Mapping[TopicPartition, int]) -> None:
        fence.committed.update(offsets)

    return World(fence, parts[0], parts[PARTITIONS], parts[1], write, commit)


async def in_kafka(bootstrap: str, topics: Topics) -> World:
    access = KafkaAccess(bootstrap)
    await patiently("kafka", lambda: declare(access, topics, Wanted(PARTITIONS, 1)), KafkaUnavailable)

    async def write(part: TopicPartition, count: int) -> None:
        await send(bootstrap, [{"topic": part.topic, "partition": part.partition, "value": b"{}"}] * count)

    async def commit(offsets: Mapping[TopicPartition, int]) -> None:
        consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, group_id=topics.prefix, enable_auto_commit=False)
        await consumer.start()
        consumer.assign(list(offsets))
        await consumer.commit(dict(offsets))
        await consumer.stop()

    telephony, transcription = (TopicPartition(topic, 0) for topic in topics.inputs)
    fence = KafkaFence(access, topics.inputs, topics.prefix)
    return World(fence, telephony, transcription, TopicPartition(topics.telephony, 1), write, commit)


@pytest.fixture(params=["memory", "kafka"])
async def world(request: pytest.FixtureRequest) -> World:
    if request.param == "memory":
        return await in_memory()
    return await in_kafka(request.getfixturevalue("kafka_bootstrap"), Topics(request.getfixturevalue("name")))


async def test_the_ends_are_those_of_all_partitions_of_both_topics(world: World) -> None:
    await world.write(world.telephony, 2)
    await world.write(world.transcription, 3)

    ends = await world.fence.ends()

    assert len(ends) == 2 * PARTITIONS
    assert (ends[world.telephony], ends[world.transcription], ends[world.empty]) == (2, 3, 0)


async def test_where_nothing_ever_came_there_is_nothing_to_wait_for(world: World) -> None:
    assert await world.fence.passed(await world.fence.ends())


async def test_it_is_passed_when_all_partitions_are_committed_to_their_ends(world: World) -> None:
    await world.write(world.telephony, 2)
    await world.write(world.transcription, 3)
    ends = await world.fence.ends()

    passed = [await world.fence.passed(ends)]
    for offsets in ({world.telephony: 2}, {world.transcription: 2}, {world.transcription: 3}):
        await world.commit(offsets)
        passed.append(await world.fence.passed(ends))

    assert passed == [False, False, False, True]


async def test_what_came_later_does_not_hold_it_up(world: World) -> None:
    await world.write(world.telephony, 1)
    ends = await world.fence.ends()
    await world.write(world.telephony, 1)

    await world.commit({world.telephony: 1})

    assert await world.fence.passed(ends)
    assert not await world.fence.passed(await world.fence.ends())


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
    ends = await kafka_world.fence.ends()

    await kafka_world.commit({part: 1})
    before = await kafka_world.fence.passed(ends)
    await kafka_world.commit({part: 1 + records})  # as the worker does, behind the last record
    after = await kafka_world.fence.passed(ends)

    assert ends[part] == 3
    assert (before, after) == (not records, True)


async def test_a_broker_that_is_away_is_said_to_be() -> None:
    fence = KafkaFence(KafkaAccess(f"{HOST}:{free_port()}"), Topics().inputs, "callfold")

    for ask in (fence.ends, lambda: fence.passed({TopicPartition("calls.telephony", 0): 1})):
        with pytest.raises(KafkaUnavailable):
            await ask()
