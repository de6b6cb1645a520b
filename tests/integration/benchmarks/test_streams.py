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
from deploy.local.servers.install import find_tools
from deploy.local.servers.mongod import MongoServer
from deploy.local.servers.process import Server
from shared.kafka.access import KafkaAccess
from shared.kafka.admin import admin_client
from tests.support.eventually import scaled

WITHIN = 50.0
LACKS = ("No compiler is provided", "Could not transfer artifact")
"""What Maven writes without a JDK, and where nothing can be downloaded; not if a source does not compile."""
WORKLOAD = Workload(60, 30)


@pytest.fixture(scope="module")
def built() -> None:
    try:
        find_tools()
    except LocalError as error:
        pytest.skip(str(error))
    try:
        build()
    except LocalError as error:
        if any(lack in str(error) for lack in LACKS):
            pytest.skip(str(error))
        raise


@pytest.mark.usefixtures("built")
async def test_every_record_is_right(kafka: Server, mongo: MongoServer, tmp_path: Path) -> None:
    with MongoClient[dict[str, Any]](mongo.uri) as client:
        stage = Stage(kafka, mongo, tmp_path, client)
        topics = await stage.published(WORKLOAD)
        again = list(WORKLOAD.messages(topics))
        random.Random(1).shuffle(again)
        await asyncio.to_thread(publish, kafka.address, again)

        done = await drain(stage, WORKLOAD, scaled(WITHIN))
    async with admin_client(KafkaAccess(kafka.address)) as admin:
        left = [topic for topic in await admin.list_topics() if "changelog" in topic]

    assert done.folds >= WORKLOAD.calls
    assert done.bytes_per_event is not None
    assert done.bytes_per_event > 0
    assert not left
