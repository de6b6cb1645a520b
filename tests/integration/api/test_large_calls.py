"""A call of 100,000 turns, more than a document can hold, read from the real API."""

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest

from deploy.local.ports import HOST, free_port
from shared.calls.fold_call import fold_documents, render
from shared.config.price_book import load
from shared.store.api_keys import new_key
from shared.store.mongo.api_keys import MongoApiKeys
from shared.store.mongo.calls import MongoStore
from shared.store.mongo.client import Connection
from tests.support.api.client import PEPPER, put
from tests.support.api.program import running
from tests.support.events.large_calls import long_call, put_large
from tests.support.events.makers import event
from tests.support.eventually import eventually, scaled
from tests.support.store.makers import CALL, result, tokens, too_large
from tests.support.store.processes import children

TURNS = 100_000
LARGE, SMALL = "/api/calls/call-456", "/api/calls/call-1"
CAPACITY = 3


@pytest.fixture
async def store(connection: Connection) -> MongoStore:
    store = MongoStore(connection)
    await store.prepare()
    await put(store, [event("call.started", call="call-1")])
    return store


@pytest.fixture
async def client(connection: Connection, mongo_uri: str, database: str) -> AsyncIterator[tuple[httpx.AsyncClient, int]]:
    """Yield a client with a key, and the process id of the API."""
    key, secret = new_key("org-789", PEPPER.encode())
    await MongoApiKeys(connection).add(key)
    port = free_port()
    # httpx asks for gzip, which has an entity tag of its own.
    headers = {"X-API-KEY": key.api_key, "X-API-SECRET": secret, "Accept-Encoding": "identity"}
    settings = {"MONGO_URI": mongo_uri, "MONGO_DATABASE": database, "POOL_QUEUE": str(CAPACITY - 1)}
    with running(port, **settings) as process:
        limits = httpx.Limits(max_connections=50)
        async with httpx.AsyncClient(
            base_url=f"http://{HOST}:{port}", headers=headers, timeout=scaled(120), trust_env=False, limits=limits
        ) as client:
            yield client, process.pid


async def test_it_is_served_whole_within_the_capacity_and_the_others_are_asked_to_try_again(
    store: MongoStore, client: tuple[httpx.AsyncClient, int]
) -> None:
    api, program = client
    await put_large(store, long_call(TURNS, line="It cost $27, as I said."))
    folded, _ = fold_documents((await store.read([CALL]))[CALL], load())
    record = render(folded.record)

    reading = [asyncio.create_task(api.get(LARGE)) for _ in range(20)]
    await eventually(lambda: _answered(reading, 20 - CAPACITY))
    small = await asyncio.gather(*(api.get(SMALL) for _ in range(20)))
    responses = await asyncio.gather(*reading)

    whole = [response for response in responses if response.status_code == 200]
    rejected = [response for response in responses if response.status_code == 503]
    assert (len(whole), len(rejected)) == (CAPACITY, 20 - CAPACITY)
    assert {response.headers["Retry-After"] for response in rejected} == {"5"}
    assert all(response.content.endswith(record.body + b"}") for response in whole)
    assert {response.headers["ETag"] for response in whole} == {record.etag}
    assert {response.status_code for response in small} == {200}
    assert len(children(program)) == 1


async def _answered(reading: list[asyncio.Task[httpx.Response]], number: int) -> bool:
    return sum(each.done() for each in reading) >= number


async def test_a_final_record_that_is_not_stored_is_revalidated_without_a_process(
    store: MongoStore, client: tuple[httpx.AsyncClient, int]
) -> None:
    api, program = client
    await put_large(store, long_call(TURNS // 20))
    (lease,) = await store.lease([CALL], next(tokens))
    await store.store_results([(lease, too_large())])

    response = await api.get(LARGE, headers={"If-None-Match": result().etag})

    assert (response.status_code, response.headers["X-Call-Finality"]) == (304, "final")
    assert children(program) == []
