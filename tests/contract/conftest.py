"""Every store: in memory, and on MongoDB by either driver."""

from collections.abc import AsyncIterator

import pytest

from shared.config.mongo_access import MongoAccess
from shared.store.memory.calls import MemoryStore
from shared.store.mongo.calls import MongoStore
from shared.store.mongo.client import Connection
from shared.store.ports import Store


@pytest.fixture
def lease_ms() -> int:
    return 60_000


@pytest.fixture(params=["memory", "motor", "pymongo"])
async def store(request: pytest.FixtureRequest, lease_ms: int) -> AsyncIterator[Store]:
    if request.param == "memory":
        yield MemoryStore(lease_ms=lease_ms)
        return
    access, database = MongoAccess(request.getfixturevalue("mongo_uri")), request.getfixturevalue("name")
    connection = Connection(access, database, driver=request.param)
    store = MongoStore(connection, lease_ms=lease_ms)
    await store.prepare()
    yield store
    await connection.drop()
    await connection.close()
