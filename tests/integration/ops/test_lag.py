"""`callfold lag` on a real broker."""

import subprocess
import time
from typing import Any

import orjson
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete

from shared.contract.topics import Topics
from tests.support.callfold import CallfoldProcess
from tests.support.fixtures import PARTITIONS


def lag(bootstrap: str, topics: Topics, *arguments: str) -> "subprocess.CompletedProcess[bytes]":
    callfold = CallfoldProcess(kafka_bootstrap=bootstrap, topic_prefix=topics.prefix, group=topics.prefix)
    return callfold("lag", *arguments)


def lag_json(bootstrap: str, topics: Topics) -> Any:
    done = lag(bootstrap, topics, "--json")
    assert (done.returncode, done.stderr) == (0, b"")
    return orjson.loads(done.stdout)


def by_place(told: Any) -> dict[tuple[str, int], tuple[int, int | None, int]]:
    return {
        (part["topic"], part["partition"]): (part["end"], part["committed"], part["lag"]) for part in told["partitions"]
    }


async def fill(bootstrap: str, place: TopicPartition, count: int) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap)
    await producer.start()
    try:
        for _ in range(count):
            await producer.send_and_wait(place.topic, b"{}", partition=place.partition)
    finally:
        await producer.stop()


async def commit(bootstrap: str, topics: Topics, offsets: dict[TopicPartition, int]) -> None:
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, group_id=topics.prefix, enable_auto_commit=False)
    await consumer.start()
    try:
        consumer.assign(list(offsets))
        await consumer.commit(offsets)
    finally:
        await consumer.stop()


def test_a_group_that_never_was_lags_by_nothing_on_empty_topics(kafka_bootstrap: str, topics: Topics) -> None:
    told = lag_json(kafka_bootstrap, topics)

    assert list(told) == ["group", "partitions", "total"]
    assert told["group"] == topics.prefix
    assert told["partitions"][0] == {
        "topic": topics.telephony,
        "partition": 0,
        "end": 0,
        "committed": None,
        "lag": 0,
        "lag_seconds": 0.0,
    }
    assert len(told["partitions"]) == 2 * PARTITIONS
    assert told["total"] == {"lag": 0, "lag_seconds": 0.0}


async def test_it_counts_what_is_not_committed(kafka_bootstrap: str, topics: Topics) -> None:
    first, second = (TopicPartition(topics.telephony, number) for number in (0, 1))
    await fill(kafka_bootstrap, first, 5)
    await fill(kafka_bootstrap, second, 3)
    await fill(kafka_bootstrap, TopicPartition(topics.transcription, 2), 4)
    await commit(kafka_bootstrap, topics, {first: 2, second: 3})

    told = lag_json(kafka_bootstrap, topics)

    assert by_place(told) == {
        (topics.telephony, 0): (5, 2, 3),
        (topics.telephony, 1): (3, 3, 0),
        (topics.telephony, 2): (0, None, 0),
        (topics.transcription, 0): (0, None, 0),
        (topics.transcription, 1): (0, None, 0),
        (topics.transcription, 2): (4, None, 4),
    }
    assert told["total"]["lag"] == 7


async def test_the_seconds_are_the_age_of_the_record_at_the_committed_offset(
    kafka_bootstrap: str, topics: Topics
) -> None:
    place = TopicPartition(topics.telephony, 0)
    await fill(kafka_bootstrap, place, 1)
    await commit(kafka_bootstrap, topics, {place: 1})
    before = time.time()
    await fill(kafka_bootstrap, place, 1)
    after = time.time()

    asked = time.time()
    told = lag_json(kafka_bootstrap, topics)

    (oldest,) = [part["lag_seconds"] for part in told["partitions"] if part["lag"]]
    assert asked - after <= oldest <= time.time() - before + 0.001
    assert told["total"] == {"lag": 1, "lag_seconds": oldest}


async def test_it_counts_from_the_earliest_record_that_is_left(kafka_bootstrap: str, topics: Topics) -> None:
    place = TopicPartition(topics.telephony, 0)
    await fill(kafka_bootstrap, place, 5)
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka_bootstrap)
    await admin.start()
    await admin.delete_records({place: RecordsToDelete(before_offset=3)})
    await admin.close()

    told = lag_json(kafka_bootstrap, topics)

    assert by_place(told)[place.topic, 0] == (5, None, 2)
    assert told["partitions"][0]["lag_seconds"] > 0


async def test_the_table_ends_with_the_total(kafka_bootstrap: str, topics: Topics) -> None:
    await fill(kafka_bootstrap, TopicPartition(topics.telephony, 0), 5)

    done = lag(kafka_bootstrap, topics)

    rows = [line.split() for line in done.stdout.decode().splitlines()]
    assert done.returncode == 0
    assert rows[0] == ["topic", "partition", "end", "committed", "lag", "lag_seconds"]
    assert rows[1][:5] == [topics.telephony, "0", "5", "-", "5"]
    assert rows[-1][:3] == ["total", f"({topics.prefix})", "5"]
