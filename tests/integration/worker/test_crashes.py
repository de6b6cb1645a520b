"""Kills of the worker and of its servers, which are the test's own."""

import asyncio
import random
from pathlib import Path

from services.worker.consumer.topic_setup import Wanted, declare
from services.worker.runtime.retry import retry_until_available
from shared.config.mongo_access import MongoAccess
from shared.contract.topics import Topics
from shared.kafka.access import KafkaAccess
from shared.kafka.errors import KafkaUnavailable
from shared.store.mongo.client import Connection
from tests.support.events.records import expected, wait_for
from tests.support.events.workload import conversations, interleaved
from tests.support.eventually import eventually
from tests.support.servers.kafka import lag, publish
from tests.support.servers.servers import kafka_server, mongo_server
from tests.support.worker.process import WorkerProcess

EVENTS = 20_000


async def test_every_record_is_right_after_kills_of_the_worker_and_of_mongod(name: str, tmp_path: Path) -> None:
    topics = Topics(name)
    events = list(interleaved(conversations(220, 46)))
    assert len(events) > EVENTS
    events += random.Random(1).sample(events, 500)
    with kafka_server() as kafka, mongo_server() as mongo:
        await retry_until_available(
            "kafka", lambda: declare(KafkaAccess(kafka.address), topics, Wanted(3, 1)), KafkaUnavailable
        )
        await publish(kafka.address, topics, events[: len(events) // 2])
        # Small batches, so that a kill comes in the middle.
        first = WorkerProcess(kafka.address, mongo.uri, topics, name, tmp_path, batch_events=500)
        first.start()
        await eventually(lambda: first.ready() and first.events() > 0)
        first.kill()
        publishing = asyncio.create_task(publish(kafka.address, topics, events[len(events) // 2 :]))
        with WorkerProcess(kafka.address, mongo.uri, topics, name, tmp_path, batch_events=500) as second:
            await eventually(lambda: second.events() > 0)
            mongo.kill()
            await eventually(lambda: second.metric('callfold_dependency_unavailable{dependency="mongodb"}') == 1)
            mongo.start()
            mongo.wait_until_ready()
            await publishing

            connection = Connection(MongoAccess(mongo.uri), name)
            await wait_for(connection, expected(events))
            assert second.metric("callfold_dead_letters_total") == 0
            await eventually(lambda: second.metric('callfold_dependency_unavailable{dependency="mongodb"}') == 0)
            await connection.close()
            second.stop()
        assert await lag(kafka.address, topics.prefix, topics) == 0


async def test_events_go_on_when_a_killed_broker_returns(name: str, tmp_path: Path) -> None:
    topics = Topics(name)
    calls = conversations(40, 10)
    with kafka_server() as kafka, mongo_server() as mongo:
        await retry_until_available(
            "kafka", lambda: declare(KafkaAccess(kafka.address), topics, Wanted(3, 1)), KafkaUnavailable
        )
        with WorkerProcess(kafka.address, mongo.uri, topics, name, tmp_path) as worker:
            await publish(kafka.address, topics, interleaved(calls[:20]))
            await eventually(lambda: worker.events() > 0)
            kafka.kill()
            await asyncio.sleep(5.0)
            kafka.start()
            kafka.wait_until_ready()
            await publish(kafka.address, topics, interleaved(calls[20:]))

            connection = Connection(MongoAccess(mongo.uri), name)
            await wait_for(connection, expected(body for call in calls for body in call))
            await connection.close()
            assert not worker.ended()
            assert worker.metric("callfold_dead_letters_total") == 0
