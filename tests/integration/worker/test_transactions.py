"""Transactional publishers: their marks and aborted records are no lag, and hold nobody up once they have ended."""

import asyncio
from pathlib import Path
from typing import Any

import orjson
import pytest
from aiokafka import TopicPartition

from services.worker.consumer.topic_setup import Wanted, declare
from services.worker.maintenance.inferred_end import SOURCE
from services.worker.runtime.retry import retry_until_available
from shared.contract.topics import Topics
from shared.kafka.access import KafkaAccess
from shared.kafka.errors import KafkaUnavailable
from shared.kafka.partitioner import partition_of
from shared.store.mongo.client import Connection
from tests.integration.worker.conftest import MakeWorker
from tests.support.callfold import run as callfold
from tests.support.events.makers import STARTED, Json, event
from tests.support.events.records import expected, wait_for
from tests.support.eventually import eventually
from tests.support.servers.kafka import message, publish, records
from tests.support.servers.kafka_tools import group_lag
from tests.support.servers.transactions import abort, aborted, commit, offsets, transactional, write

PARTITIONS = 8
SOON = 10.0
"""Seconds after the last commit within which no lag is left."""
ALL = [f"call-{number}" for number in range(60)]
# Calls of all partitions but the last.
CALLS = [call for call in ALL if partition_of(call, PARTITIONS) < PARTITIONS - 1]


@pytest.fixture
async def topics(kafka_bootstrap: str, name: str) -> Topics:
    topics = Topics(name)
    await retry_until_available(
        "kafka", lambda: declare(KafkaAccess(kafka_bootstrap), topics, Wanted(PARTITIONS, 1)), KafkaUnavailable
    )
    return topics


def parts(topics: Topics) -> list[TopicPartition]:
    return [TopicPartition(topic, number) for topic in topics.inputs for number in range(PARTITIONS)]


def conversations(calls: list[str]) -> list[Json]:
    started = [event("call.started", call=call) for call in calls]
    turns = [event("transcript.turn", call=call, at=STARTED + 1_000) for call in calls]
    return [*started, *turns, *[event("call.ended", call=call, at=STARTED + 9_000) for call in calls]]


async def wait_until_all_is_committed(bootstrap: str, topics: Topics) -> None:
    async def nothing_is_left() -> bool:
        found = await offsets(bootstrap, topics.prefix, parts(topics))
        return all(done == end for done, end in found.values())

    await eventually(nothing_is_left, within=SOON)


def lag(bootstrap: str, topics: Topics) -> Any:
    done = callfold("lag", "--json", kafka_bootstrap=bootstrap, topic_prefix=topics.prefix, group=topics.prefix)
    assert (done.returncode, done.stderr) == (0, b"")
    return orjson.loads(done.stdout)


async def test_after_transactions_no_lag_is_left_by_any_measure(
    make_worker: MakeWorker, kafka_bootstrap: str, topics: Topics, connection: Connection
) -> None:
    make_worker(partitions=PARTITIONS).start().wait_until_ready()
    bodies = conversations(CALLS)
    messages = [message(body, topics) for body in bodies]
    never_read = parts(topics)[PARTITIONS - 1]

    async with transactional(kafka_bootstrap, topics.prefix) as made:
        await abort(made, aborted(never_read, 3_000))
        await commit(made, messages[: len(messages) // 2])
        await abort(made, messages)
        await commit(made, messages[len(messages) // 2 :])
        await abort(made, [*aborted(parts(topics)[0], 3_000), *aborted(parts(topics)[PARTITIONS], 2_000)])

    await wait_until_all_is_committed(kafka_bootstrap, topics)
    by_kafkas_tool = group_lag(kafka_bootstrap, topics.prefix)
    by_callfold = lag(kafka_bootstrap, topics)
    assert [each for each in by_kafkas_tool.values() if each[2]] == []
    assert by_kafkas_tool[never_read.topic, never_read.partition] == (3_001, 3_001, 0)
    assert by_callfold["total"] == {"lag": 0, "lag_seconds": 0.0, "drain_seconds": 0.0}
    await wait_for(connection, expected(bodies))


async def test_an_open_transaction_is_shown_and_holds_up_its_partitions_until_it_ends(
    make_worker: MakeWorker, kafka_bootstrap: str, topics: Topics, connection: Connection
) -> None:
    worker = make_worker(partitions=PARTITIONS).start().wait_until_ready()
    bodies = conversations(CALLS[:1])
    held = partition_of(CALLS[0], PARTITIONS)
    metric = f'callfold_open_transaction_seconds{{partition="{held}",topic="{topics.telephony}"}}'

    async with transactional(kafka_bootstrap, topics.prefix) as made:
        await write(made, aborted(TopicPartition(topics.telephony, held), 1))
        await publish(kafka_bootstrap, topics, bodies)
        await eventually(lambda: worker.metric(metric) > 1)
        elsewhere = worker.metric("callfold_open_transaction_seconds") - worker.metric(metric)
        found = await offsets(kafka_bootstrap, topics.prefix, parts(topics))
        await made.abort_transaction()

    await wait_until_all_is_committed(kafka_bootstrap, topics)
    await eventually(lambda: worker.metric(metric) == 0)
    await wait_for(connection, expected(bodies))
    assert elsewhere < 1
    assert found[TopicPartition(topics.telephony, held)] == (0, 3)


async def test_the_metric_of_open_transactions_has_the_partitions_that_a_worker_owns(
    make_worker: MakeWorker,
) -> None:
    first = make_worker(partitions=PARTITIONS).start().wait_until_ready()

    def shown() -> int:
        return first.lines("callfold_open_transaction_seconds")

    await eventually(lambda: shown() == 2 * PARTITIONS)
    make_worker(partitions=PARTITIONS).start().wait_until_ready()

    await eventually(lambda: shown() == PARTITIONS)


async def test_an_aborted_tail_does_not_keep_idle_calls_from_being_ended(
    make_worker: MakeWorker, kafka_bootstrap: str, topics: Topics, tmp_path: Path
) -> None:
    policies = tmp_path / "policies.toml"
    policies.write_text("[default]\nclose_ongoing_seconds = 1\n")
    make_worker(partitions=PARTITIONS, policies=policies, idle_check_seconds=0.5).start().wait_until_ready()

    async with transactional(kafka_bootstrap, topics.prefix, max_batch_size=1_000) as made:
        await abort(made, aborted(TopicPartition(topics.transcription, 0), 15_000))
    await publish(kafka_bootstrap, topics, [event("call.started", call=CALLS[0])])

    async def ended() -> bool:
        found = [orjson.loads(record.value) for record in await records(kafka_bootstrap, topics.telephony)]
        return any(body["source"] == SOURCE for body in found)

    await eventually(ended, within=30)


async def test_nothing_is_lost_when_workers_come_and_die_among_transactions(
    make_worker: MakeWorker, kafka_bootstrap: str, topics: Topics, connection: Connection
) -> None:
    bodies = conversations(ALL)
    rest = [message(body, topics) for body in bodies]
    first = make_worker(partitions=PARTITIONS).start().wait_until_ready()

    async def publish_slowly() -> None:
        async with transactional(kafka_bootstrap, topics.prefix) as made:
            for start in range(0, len(rest), 5):
                await abort(made, rest[start : start + 20])
                await commit(made, rest[start : start + 5])
                await asyncio.sleep(0.2)

    publishing = asyncio.create_task(publish_slowly())
    await eventually(lambda: first.events() > len(ALL) / 3)
    make_worker(partitions=PARTITIONS).start().wait_until_ready()
    await eventually(lambda: first.events() > len(ALL) / 2)
    first.kill()
    make_worker(partitions=PARTITIONS).start()
    await publishing

    await wait_for(connection, expected(bodies))
    await wait_until_all_is_committed(kafka_bootstrap, topics)
