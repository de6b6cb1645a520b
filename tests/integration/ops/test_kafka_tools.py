"""Beside Kafka's own tools: what Java publishes is read, and the lag is what Kafka says it is."""

import json
import os
import subprocess
import sys
import time
from typing import Any

from shared.contract.topics import Topics
from shared.kafka.partitioner import partition_of
from shared.store.mongo.client import Connection
from tests.integration.worker.conftest import MakeWorker
from tests.support.events.makers import STARTED, event, raw
from tests.support.events.records import expected, wait_for
from tests.support.eventually import eventually, scaled
from tests.support.servers.kafka import publish
from tests.support.servers.kafka_tools import PRODUCER, group_lag, run
from tests.support.worker.process import WorkerProcess


async def test_what_javas_console_producer_publishes_is_folded_and_lies_where_it_should(
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
    await publish(kafka_bootstrap, topics, first)
    worker = make_worker().start().wait_until_ready()
    await eventually(lambda: worker.metric("callfold_events_ingested_total") == len(first))
    worker.stop()
    before = time.time()
    await publish(kafka_bootstrap, topics, [event("call.note", call=f"call-{number}") for number in range(33)])

    told = callfold_lag(kafka_bootstrap, topics)

    ours = {
        (part["topic"], part["partition"]): (part["committed"], part["end"], part["lag"])
        for part in told["partitions"]
        if part["committed"] is not None
    }
    assert ours == group_lag(kafka_bootstrap, topics.prefix)
    assert told["total"]["lag"] == 33
    assert 0 < told["total"]["lag_seconds"] < time.time() - before + 0.001


def callfold_lag(bootstrap: str, topics: Topics) -> Any:
    settings = {"KAFKA_BOOTSTRAP": bootstrap, "TOPIC_PREFIX": topics.prefix, "GROUP": topics.prefix}
    done = subprocess.run(
        [sys.executable, "-m", "services.ops", "lag", "--json"],
        env=os.environ | {f"CALLFOLD_{name}": value for name, value in settings.items()},
        capture_output=True,
        check=True,
        timeout=scaled(60),
    )
    return json.loads(done.stdout)
