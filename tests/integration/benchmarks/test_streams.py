"""The peer in Kafka Streams drains a backlog with every record right, also where events come twice."""

import asyncio
import random
from pathlib import Path
from typing import Any

import pytest
from pymongo import MongoClient

from benchmarks.load.calls import Workload
from benchmarks.parts.streams import drain
from benchmarks.peers.kafka_streams import build
from benchmarks.stage import Stage, publish
from deploy.local.errors import LocalError
from deploy.local.servers.mongod import MongoServer
from deploy.local.servers.process import Server
from tests.support.eventually import scaled

WITHIN = 50.0
WORKLOAD = Workload(60, 30)


@pytest.fixture(scope="module")
def built() -> None:
    try:
        build()
    except LocalError as error:
        pytest.skip(str(error))


@pytest.mark.usefixtures("built")
async def test_every_record_is_right(kafka: Server, mongo: MongoServer, tmp_path: Path) -> None:
    with MongoClient[dict[str, Any]](mongo.uri) as client:
        stage = Stage(kafka, mongo, tmp_path, client)
        topics = await stage.published(WORKLOAD)
        again = list(WORKLOAD.messages(topics))
        random.Random(1).shuffle(again)
        await asyncio.to_thread(publish, kafka.address, again)

        done = await drain(stage, WORKLOAD, scaled(WITHIN))

    assert done.folds >= WORKLOAD.calls
    assert done.bytes_per_event is not None
    assert done.bytes_per_event > 0
