"""Reading a group's lag from a real broker; the tests commit for the group."""

import re
from collections.abc import AsyncIterator

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete

from deploy.local.ports import free_port
from shared.contract.topics import Topics
from shared.kafka.access import KafkaAccess
from shared.lag.models import GroupState, Health, PartitionReading
from shared.lag.reader import LagReader
from shared.process.clock import now_ms
from tests.support.eventually import eventually
from tests.support.fixtures import PARTITIONS
from tests.support.servers.kafka import send
from tests.support.servers.transactions import abort, aborted, commit, transactional, write

Part = tuple[str, int]


@pytest.fixture
async def reader(kafka_bootstrap: str, topics: Topics) -> AsyncIterator[LagReader]:
    reader = LagReader(KafkaAccess(kafka_bootstrap), topics.inputs, topics.prefix)
    # A new broker has no coordinator for some seconds.
    await eventually(lambda: reads_well(reader))
    yield reader
    await reader.close()


async def reads_well(reader: LagReader) -> bool:
    return (await reader.read()).kafka is Health.WELL


async def read_from(reader: LagReader, part: Part, position: int) -> PartitionReading | None:
    found = (await reader.read()).partitions[part]
    return found if found.position == position else None


async def fill(bootstrap: str, part: Part, count: int) -> range:
    """Write records; return the time in which they were written (Unix ms)."""
    begun = now_ms()
    await send(bootstrap, [{"topic": part[0], "partition": part[1], "value": b"{}"}] * count)
    return range(begun, now_ms() + 1)


async def commit_offset(bootstrap: str, group: str, part: Part, offset: int) -> None:
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, group_id=group, enable_auto_commit=False)
    await consumer.start()
    try:
        consumer.assign([TopicPartition(*part)])
        await consumer.commit({TopicPartition(*part): offset})
    finally:
        await consumer.stop()


async def test_empty_topics_have_no_lag(reader: LagReader, topics: Topics) -> None:
    found = await reader.read()

    assert found.partitions == {
        (topic, number): PartitionReading(0, None, 0, None) for topic in topics.inputs for number in range(PARTITIONS)
    }
    assert (found.kafka, found.group, found.members, found.owners) == (Health.WELL, GroupState.DEAD, 0, {})
    assert found.retention_ms == dict.fromkeys(topics.inputs, 7 * 24 * 3600 * 1000)
    assert (found.missing_topics, found.hidden) == ([], [])


async def test_the_oldest_record_is_read_again_where_the_committed_offset_moved(
    reader: LagReader, topics: Topics, kafka_bootstrap: str
) -> None:
    part = (topics.telephony, 1)
    earlier, later = await fill(kafka_bootstrap, part, 3), await fill(kafka_bootstrap, part, 2)

    first = (await reader.read()).partitions[part]
    await commit_offset(kafka_bootstrap, topics.prefix, part, 3)
    second = (await reader.read()).partitions[part]
    asked = reader.requests
    third = (await reader.read()).partitions[part]

    assert (first.end, first.committed, first.position, first.lag) == (5, None, 0, 5)
    assert first.oldest in earlier
    assert (second.end, second.committed, second.position, second.lag) == (5, 3, 3, 2)
    assert second.oldest in later
    assert third == second
    assert reader.requests - asked == 3  # the committed offsets, the group and the ends


async def test_marks_and_aborted_records_are_no_lag(reader: LagReader, topics: Topics, kafka_bootstrap: str) -> None:
    only, before = (topics.telephony, 0), (topics.telephony, 1)
    async with transactional(kafka_bootstrap, topics.prefix) as made:
        await abort(made, aborted(TopicPartition(*only), 4))
        await abort(made, aborted(TopicPartition(*before), 1500))
        begun = now_ms()
        await commit(made, [{"topic": before[0], "partition": before[1], "value": b"{}"}])
        found = (await reader.read()).partitions

        assert (found[only].end, found[only].lag, found[only].oldest, found[only].readable) == (5, 0, None, True)
        assert found[before].lag == 2  # the record and the mark of its transaction
        assert found[before].oldest in range(begun, now_ms() + 1)


async def test_an_open_transaction_ends_what_can_be_read(
    reader: LagReader, topics: Topics, kafka_bootstrap: str
) -> None:
    part = (topics.transcription, 0)
    await fill(kafka_bootstrap, part, 2)
    async with transactional(kafka_bootstrap, topics.prefix) as made:
        await write(made, aborted(TopicPartition(*part), 3))

        found = (await reader.read()).partitions[part]

        assert (found.end, found.lag) == (2, 2)
        await made.abort_transaction()


async def test_records_that_retention_deleted_are_no_lag(
    reader: LagReader, topics: Topics, kafka_bootstrap: str
) -> None:
    part = (topics.telephony, 2)
    written = await fill(kafka_bootstrap, part, 4)
    await reader.read()
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka_bootstrap)
    await admin.start()
    await admin.delete_records({TopicPartition(*part): RecordsToDelete(before_offset=3)})
    await admin.close()

    found = await eventually(lambda: read_from(reader, part, 3))

    assert (found.end, found.position, found.lag) == (4, 3, 1)
    assert found.oldest in written


async def test_the_owner_is_the_member_that_has_the_partition(topics: Topics, kafka_bootstrap: str) -> None:
    consumer = AIOKafkaConsumer(
        *topics.inputs, bootstrap_servers=kafka_bootstrap, group_id=topics.prefix, client_id="w"
    )
    reader = LagReader(KafkaAccess(kafka_bootstrap), topics.inputs, topics.prefix)
    async with consumer:
        found = await reader.read()
    await reader.close()

    assert (found.group, found.members) == (GroupState.STABLE, 1)
    assert found.owners.keys() == found.partitions.keys()
    (owner,) = set(found.owners.values())
    assert re.fullmatch("w@127.0.0.1#[0-9a-f]{6}", owner)


async def test_a_topic_that_is_missing_is_named(kafka_bootstrap: str, topics: Topics) -> None:
    reader = LagReader(KafkaAccess(kafka_bootstrap), [topics.telephony, "no-such-topic"], topics.prefix)

    found = await reader.read()
    await reader.close()

    assert found.missing_topics == ["no-such-topic"]
    assert {topic for topic, _ in found.partitions} == {topics.telephony}
    assert (found.kafka, reader.error) == (Health.WELL, None)


async def test_without_kafka_nothing_is_known() -> None:
    reader = LagReader(KafkaAccess(f"127.0.0.1:{free_port()}"), ["a", "b"], "group")

    found = await reader.read()
    await reader.close()

    assert (found.kafka, found.group, found.partitions) == (Health.UNAVAILABLE, GroupState.UNKNOWN, {})
