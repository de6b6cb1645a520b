"""Compared with Kafka's own tools: records of the Java producer are read, and the lag agrees."""

import json
import time
from typing import Any

from aiokafka import TopicPartition

from shared.contract.topics import Topics
from shared.kafka.partitioner import partition_of
from shared.store.mongo.client import Connection
from tests.integration.worker.conftest import MakeWorker
from tests.support.callfold import run as callfold
from tests.support.events.makers import STARTED, event, raw
from tests.support.events.records import expected, wait_for
from tests.support.eventually import eventually
from tests.support.servers.kafka import publish
from tests.support.servers.kafka_tools import PRODUCER, group_lag, run
from tests.support.servers.transactions import abort, aborted, transactional
from tests.support.worker.process import WorkerProcess


async def test_events_of_the_java_console_producer_are_folded_from_the_expected_partitions(
    worker: WorkerProcess, kafka_bootstrap: str, topics: Topics, connection: Connection
) -> None:
    calls = [f"call-{number}" for number in range(12)]
    events = [event("call.started", call=call) for call in calls]
    events += [event("call.ended", at=STARTED + 9_000, call=call) for call in calls]
    lines = "".join(f"{body['subject']}\t{raw(body).decode()}\n" for body in events)
    keyed = ["--property", "parse.key=true", "--property", "key.separator=\t"]

    run(PRODUCER, "--bootstrap-server", kafka_bootstrap, "--topic", topics.telephony, *keyed, text=lines)

    await wait_for(connection, expected(events))
    assert worker.metric("callfold_mis_keyed_events_total") == 0
    assert len({partition_of(call, 3) for call in calls}) == 3


async def test_the_lag_agrees_with_kafka_consumer_groups(
    make_worker: MakeWorker, kafka_bootstrap: str, topics: Topics
) -> None:
    first = [event("call.note", call=f"call-{number}") for number in range(50)]
    async with transactional(kafka_bootstrap, topics.prefix) as made:
        await abort(made, [each for part in range(3) for each in aborted(TopicPartition(topics.telephony, part), 20)])
    await publish(kafka_bootstrap, topics, first)
    worker = make_worker().start().wait_until_ready()
    await eventually(lambda: worker.events() == len(first))
    worker.stop()
    before = time.time()
    await publish(kafka_bootstrap, topics, [event("call.note", call=f"call-{number}") for number in range(33)])

    lag = callfold_lag(kafka_bootstrap, topics)

    ours = {
        (part["topic"], part["partition"]): (part["committed"], part["end"], part["lag"])
        for part in lag["partitions"]
        if part["committed"] is not None
    }
    assert ours == group_lag(kafka_bootstrap, topics.prefix)
    assert lag["total"]["lag"] == 33
    assert 0 < lag["total"]["lag_seconds"] < time.time() - before + 0.001


def callfold_lag(bootstrap: str, topics: Topics) -> Any:
    done = callfold(
        "lag", "--json", "--window", "0", kafka_bootstrap=bootstrap, topic_prefix=topics.prefix, group=topics.prefix
    )
    return json.loads(done.stdout)
