"""The API during an outage of MongoDB, and after it."""

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator, Iterator

import httpx
import pytest

from deploy.local.servers.mongod import MongoServer
from services.api.keys.authentication import CACHE_SECONDS
from shared.config.mongo_access import MongoAccess
from shared.store.mongo.api_keys import MongoApiKeys
from shared.store.mongo.calls import MongoStore
from shared.store.mongo.client import Connection
from tests.support.api.client import Reader, put, reader
from tests.support.events.seed_call import seed_call
from tests.support.eventually import eventually, scaled
from tests.support.servers.servers import engine_answers, mongo_server

CALL = "/api/calls/call-456"
LIMIT_SECONDS = scaled(3.0)
CONCURRENT = 40


@pytest.fixture(scope="module")
def own_mongo() -> Iterator[MongoServer]:
    with mongo_server() as server:
        yield server


@pytest.fixture
async def api(own_mongo: MongoServer, name: str) -> AsyncIterator[Reader]:
    connection = Connection(MongoAccess(own_mongo.uri), name, timeout_ms=2_500)
    api = await reader(MongoStore(connection), MongoApiKeys(connection))
    await put(api.store, seed_call())
    yield api
    await connection.close()


async def timed(api: Reader, path: str = CALL) -> tuple[httpx.Response, float]:
    started = time.monotonic()
    answer = await api.get(path)
    return answer, time.monotonic() - started


async def check_unavailable(api: Reader) -> None:
    """Send concurrent requests until the cached key has expired."""
    for _ in range(2):
        answers = await asyncio.gather(*(timed(api) for _ in range(CONCURRENT)), timed(api, "/readyz"))
        assert {answer.status_code for answer, _ in answers} == {503}
        assert max(seconds for _, seconds in answers) < LIMIT_SECONDS
        assert answers[0][0].headers["Retry-After"] == "1"
        await asyncio.sleep(CACHE_SECONDS / 2)


async def check_recovered(api: Reader) -> None:
    statuses = {503}

    async def other_than_503() -> set[int]:
        statuses.add((await api.get(CALL)).status_code)
        return statuses - {503}

    assert await eventually(other_than_503) == {200}
    answers = await asyncio.gather(*(api.get(CALL) for _ in range(CONCURRENT)))
    assert {answer.status_code for answer in answers} == {200}


async def test_it_recovers_from_a_crash_of_mongodb(api: Reader, own_mongo: MongoServer) -> None:
    assert (await api.get(CALL)).status_code == 200

    own_mongo.kill()
    await check_unavailable(api)
    own_mongo.start()
    await asyncio.to_thread(own_mongo.wait_until_ready)

    await check_recovered(api)


@pytest.mark.skipif(engine_answers(), reason="a process in a container cannot be stopped from outside")
async def test_it_recovers_from_a_mongodb_that_hangs(api: Reader, own_mongo: MongoServer) -> None:
    assert (await api.get(CALL)).status_code == 200

    os.kill(own_mongo.pid, signal.SIGSTOP)
    try:
        await check_unavailable(api)
    finally:
        os.kill(own_mongo.pid, signal.SIGCONT)

    await check_recovered(api)
