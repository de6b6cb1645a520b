"""`callfold lag` on a real broker."""

import asyncio
import subprocess
import time
from collections.abc import Awaitable, Callable
from typing import Any

import orjson
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete

from shared.contract.topics import Topics
from tests.support.callfold import CALLFOLD, run
from tests.support.fixtures import PARTITIONS
from tests.support.servers.kafka import producer, send
from tests.support.servers.transactions import abort, aborted, transactional, write
from tests.support.servers.transactions import commit as commit_transaction
from tests.support.terminal import terminal


def lag(bootstrap: str, topics: Topics, *arguments: str) -> "subprocess.CompletedProcess[bytes]":
    return run("lag", *arguments, kafka_bootstrap=bootstrap, topic_prefix=topics.prefix, group=topics.prefix)


def lag_json(bootstrap: str, topics: Topics) -> Any:
    """Read once: what is tested here are the numbers."""
    done = lag(bootstrap, topics, "--json", "--window", "0")
    assert (done.returncode, done.stderr) == (0, b"")
    return orjson.loads(done.stdout)


def by_partition(found: Any) -> dict[tuple[str, int], tuple[int, int | None, int]]:
    return {
        (each["topic"], each["partition"]): (each["end"], each["committed"], each["lag"])
        for each in found["partitions"]
    }


async def fill(bootstrap: str, part: TopicPartition, count: int) -> None:
    await send(bootstrap, [{"topic": part.topic, "partition": part.partition, "value": b"{}"}] * count)


async def transact(bootstrap: str, part: TopicPartition, end: Callable[[AIOKafkaProducer], Awaitable[None]]) -> None:
    async with producer(bootstrap, transactional_id=part.topic) as made:
        await made.begin_transaction()
        await made.send_and_wait(part.topic, b"{}", partition=part.partition)
        await end(made)


async def commit(bootstrap: str, topics: Topics, offsets: dict[TopicPartition, int]) -> None:
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, group_id=topics.prefix, enable_auto_commit=False)
    await consumer.start()
    try:
        consumer.assign(list(offsets))
        await consumer.commit(offsets)
    finally:
        await consumer.stop()


def test_a_group_that_does_not_exist_has_no_lag_on_empty_topics(kafka_bootstrap: str, topics: Topics) -> None:
    found = lag_json(kafka_bootstrap, topics)

    assert (found["group"], found["members"]) == (topics.prefix, 0)
    assert (found["kafka"], found["verdict"]) == ("well", "unknown")
    first = found["partitions"][0]
    assert (first["topic"], first["partition"], first["end"], first["committed"]) == (topics.telephony, 0, 0, None)
    assert (first["lag"], first["lag_seconds"]) == (0, 0.0)
    assert len(found["partitions"]) == 2 * PARTITIONS
    assert found["total"] == {"lag": 0, "lag_seconds": 0.0, "drain_seconds": 0.0}


async def test_it_counts_the_records_that_are_not_committed(kafka_bootstrap: str, topics: Topics) -> None:
    first, second = (TopicPartition(topics.telephony, number) for number in (0, 1))
    await fill(kafka_bootstrap, first, 5)
    await fill(kafka_bootstrap, second, 3)
    await fill(kafka_bootstrap, TopicPartition(topics.transcription, 2), 4)
    await commit(kafka_bootstrap, topics, {first: 2, second: 3})

    found = lag_json(kafka_bootstrap, topics)

    assert by_partition(found) == {
        (topics.telephony, 0): (5, 2, 3),
        (topics.telephony, 1): (3, 3, 0),
        (topics.telephony, 2): (0, None, 0),
        (topics.transcription, 0): (0, None, 0),
        (topics.transcription, 1): (0, None, 0),
        (topics.transcription, 2): (4, None, 4),
    }
    assert found["total"]["lag"] == 7


async def test_the_seconds_are_the_age_of_the_record_at_the_committed_offset(
    kafka_bootstrap: str, topics: Topics
) -> None:
    part = TopicPartition(topics.telephony, 0)
    await fill(kafka_bootstrap, part, 1)
    await commit(kafka_bootstrap, topics, {part: 1})
    before = time.time()
    await fill(kafka_bootstrap, part, 1)
    after = time.time()

    asked = time.time()
    found = lag_json(kafka_bootstrap, topics)

    (oldest,) = [part["lag_seconds"] for part in found["partitions"] if part["lag"]]
    assert asked - after <= oldest <= time.time() - before + 0.001
    assert (found["total"]["lag"], found["total"]["lag_seconds"]) == (1, oldest)


async def test_it_counts_from_the_earliest_record_that_is_left(kafka_bootstrap: str, topics: Topics) -> None:
    part = TopicPartition(topics.telephony, 0)
    await fill(kafka_bootstrap, part, 5)
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka_bootstrap)
    await admin.start()
    await admin.delete_records({part: RecordsToDelete(before_offset=3)})
    await admin.close()

    found = lag_json(kafka_bootstrap, topics)

    assert by_partition(found)[part.topic, 0] == (5, None, 2)
    assert found["partitions"][0]["lag_seconds"] > 0


@pytest.mark.parametrize(
    ("end", "left"), [(AIOKafkaProducer.commit_transaction, 1), (AIOKafkaProducer.abort_transaction, 0)]
)
async def test_it_counts_as_a_reader_of_committed_records_does(
    kafka_bootstrap: str, topics: Topics, end: Callable[[AIOKafkaProducer], Awaitable[None]], left: int
) -> None:
    part = TopicPartition(topics.telephony, 0)
    await transact(kafka_bootstrap, part, end)  # a record and a marker
    await commit(kafka_bootstrap, topics, {part: 0})

    before = lag_json(kafka_bootstrap, topics)
    await commit(kafka_bootstrap, topics, {part: 1})
    after = lag_json(kafka_bootstrap, topics)

    # From the record to the end, its marker included; nothing where only a marker is left.
    assert by_partition(before)[part.topic, 0] == (2, 0, 2 * left)
    assert by_partition(after)[part.topic, 0] == (2, 1, 0)
    assert after["total"] == {"lag": 0, "lag_seconds": 0.0, "drain_seconds": 0.0}


async def test_aborted_records_before_a_committed_one_do_not_count(kafka_bootstrap: str, topics: Topics) -> None:
    part = TopicPartition(topics.telephony, 0)
    for end in (AIOKafkaProducer.abort_transaction, AIOKafkaProducer.commit_transaction):
        await transact(kafka_bootstrap, part, end)

    found = lag_json(kafka_bootstrap, topics)

    assert by_partition(found)[part.topic, 0] == (4, None, 2)
    assert found["total"]["lag_seconds"] > 0


async def test_marks_at_the_end_of_every_partition_are_no_lag(kafka_bootstrap: str, topics: Topics) -> None:
    parts = [TopicPartition(topic, number) for topic in topics.inputs for number in range(PARTITIONS)]
    async with transactional(kafka_bootstrap, topics.prefix) as made:
        await commit_transaction(made, [message for part in parts for message in aborted(part, 1)])
    await commit(kafka_bootstrap, topics, dict.fromkeys(parts, 1))

    found = lag_json(kafka_bootstrap, topics)

    assert set(by_partition(found).values()) == {(2, 1, 0)}


async def test_long_aborted_tails_are_no_lag_though_no_worker_runs(kafka_bootstrap: str, topics: Topics) -> None:
    first, *others = [TopicPartition(topic, number) for topic in topics.inputs for number in range(PARTITIONS)]
    async with transactional(kafka_bootstrap, topics.prefix, max_batch_size=1_000) as made:
        await abort(made, [*aborted(first, 15_000), *[message for part in others for message in aborted(part, 500)]])
        await write(made, aborted(first, 10))  # and an open transaction behind it
        found = lag_json(kafka_bootstrap, topics)
        await made.abort_transaction()

    assert by_partition(found)[first.topic, first.partition] == (15_001, None, 0)
    assert found["total"] == {"lag": 0, "lag_seconds": 0.0, "drain_seconds": 0.0}


async def test_the_oldest_record_is_found_behind_aborted_ones_in_each_partition(
    kafka_bootstrap: str, topics: Topics
) -> None:
    parts = [TopicPartition(topic, number) for topic in topics.inputs for number in range(PARTITIONS)]
    async with transactional(kafka_bootstrap, topics.prefix) as made:
        for part in parts:
            await abort(made, aborted(part, 1_000))
            await fill(kafka_bootstrap, part, 3)

    found = lag_json(kafka_bootstrap, topics)

    assert set(by_partition(found).values()) == {(1_004, None, 3)}
    assert all(part["lag_seconds"] > 0 for part in found["partitions"])


async def test_without_a_worker_it_says_so_after_some_readings(kafka_bootstrap: str, topics: Topics) -> None:
    await fill(kafka_bootstrap, TopicPartition(topics.telephony, 0), 5)

    done = lag(kafka_bootstrap, topics, "--fail-over", "0.5")

    rows = [line.split() for line in done.stdout.decode().splitlines()]
    assert rows[0] == [
        *("topic", "partition", "records", "seconds", "in/s", "out/s", "drains_in", "owner", "verdict", "cause")
    ]
    assert rows[1][:3] == [topics.telephony, "0", "5"]
    assert rows[1][-2:] == ["no_owner", "no_worker"]
    assert rows[-1][:3] == ["total", f"({topics.prefix})", "5"]
    assert done.returncode == 1
    assert b"above 0.5 s" in done.stderr


def test_it_adds_how_mongodb_writes(kafka_bootstrap: str, topics: Topics, mongo_uri: str, database: str) -> None:
    done = run(
        *("lag", "--json", "--window", "3"),
        kafka_bootstrap=kafka_bootstrap,
        topic_prefix=topics.prefix,
        group=topics.prefix,
        mongo_uri=mongo_uri,
        mongo_database=database,
    )

    found = orjson.loads(done.stdout)
    assert (found["kafka"], found["mongodb"]) == ("well", "well")
    assert (found["verdict"], found["cause"]) == ("no_owner", "no_worker")


def test_nothing_left_is_below_every_limit(kafka_bootstrap: str, topics: Topics) -> None:
    done = lag(kafka_bootstrap, topics, "--fail-over", "0", "--window", "0")

    assert (done.returncode, done.stderr) == (0, b"")


def test_topics_that_do_not_exist_are_an_error(kafka_bootstrap: str) -> None:
    done = run("lag", kafka_bootstrap=kafka_bootstrap, topic_prefix="nowhere")

    assert (done.returncode, done.stdout) == (1, b"")
    assert b"the topic nowhere.telephony does not exist" in done.stderr


@pytest.mark.parametrize("key", [b"q", b"\x03"], ids=["q", "Ctrl-C"])
async def test_the_live_view_ends_at_a_key_and_leaves_the_terminal_as_it_was(
    kafka_bootstrap: str, topics: Topics, key: bytes
) -> None:
    await fill(kafka_bootstrap, TopicPartition(topics.telephony, 0), 5)
    settings = {"CALLFOLD_KAFKA_BOOTSTRAP": kafka_bootstrap, "CALLFOLD_TOPIC_PREFIX": topics.prefix}

    with terminal([CALLFOLD, "lag", "--watch"], settings) as opened:
        await asyncio.to_thread(opened.read_until, b"telephony-0")
        drawing = opened.restored
        opened.type(key)
        code = await asyncio.to_thread(opened.wait)
        restored = opened.restored

    assert (code, drawing, restored) == (0, False, True)


def test_the_live_view_needs_a_terminal(kafka_bootstrap: str, topics: Topics) -> None:
    done = lag(kafka_bootstrap, topics, "--watch")

    assert (done.returncode, done.stdout) == (2, b"")
    assert done.stderr == b"callfold: --watch needs a terminal; use --json in scripts\n"
