"""Every store: a small write that is nobody's data."""

from collections.abc import AsyncIterator

import pytest

from deploy.local.ports import free_port
from shared.config.mongo_access import MongoAccess
from shared.store.memory.write_probe import MemoryWriteProbe
from shared.store.mongo.client import Connection
from shared.store.mongo.write_probe import MongoWriteProbe
from shared.store.ports import StoreUnavailable, WriteProbe

STORES = ["memory", "motor", "pymongo"]


@pytest.fixture(params=STORES)
async def probe(request: pytest.FixtureRequest) -> AsyncIterator[WriteProbe]:
    if request.param == "memory":
        yield MemoryWriteProbe()
        return
    access, database = MongoAccess(request.getfixturevalue("mongo_uri")), request.getfixturevalue("name")
    connection = Connection(access, database, driver=request.param)
    yield MongoWriteProbe(connection)
    await connection.drop()
    await connection.close()


@pytest.fixture(params=STORES)
async def unreachable(request: pytest.FixtureRequest) -> AsyncIterator[WriteProbe]:
    if request.param == "memory":
        yield MemoryWriteProbe(StoreUnavailable())
        return
    access = MongoAccess(f"mongodb://127.0.0.1:{free_port()}/?replicaSet=rs")
    connection = Connection(access, "nowhere", driver=request.param, timeout_ms=200)
    yield MongoWriteProbe(connection)
    await connection.close()


async def test_a_write_can_be_repeated(probe: WriteProbe) -> None:
    await probe.write()

    await probe.write()


async def test_a_store_that_does_not_answer_is_unavailable(unreachable: WriteProbe) -> None:
    with pytest.raises(StoreUnavailable):
        await unreachable.write()
