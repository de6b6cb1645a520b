"""Outages of MongoDB and Kafka, on servers of the test's own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.outage import Servers
from tests.support.servers.servers import kafka_server, mongo_server

SECONDS = 8.0
MOST_GROWTH = 100 * 2**20


@pytest.fixture(scope="module")
def servers() -> Iterator[Servers]:
    with kafka_server() as kafka, mongo_server() as mongo:
        yield Servers(kafka, mongo)


@pytest.mark.parametrize("what", ["mongodb", "kafka"])
async def test_during_an_outage_the_worker_waits_and_loses_nothing(servers: Servers, what: str, tmp_path: Path) -> None:
    seen = await servers.outage(what, SECONDS, tmp_path)

    assert seen.dead_letters == 0
    assert seen.left == 0
    assert seen.peak - seen.before < MOST_GROWTH
