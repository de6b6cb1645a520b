"""A call of 100,000 turns, which no document could hold, read from the real API."""

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
from tests.support.eventually import eventually_async
from tests.support.store.makers import CALL, result, tokens, too_large
from tests.support.store.processes import children

TURNS = 100_000
LARGE, NEIGHBOUR = "/api/calls/call-456", "/api/calls/call-1"
PLACES = 3


@pytest.fixture
async def store(connection: Connection) -> MongoStore:
    store = MongoStore(connection)
    await store.prepare()
    await put(store, [event("call.started", call="call-1")])
    return store


@pytest.fixture
async def client(connection: Connection, mongo_uri: str, database: str) -> AsyncIterator[tuple[httpx.AsyncClient, int]]:
    """Give a client with a key, and the id of the API's process."""
    key, secret = new_key("org-789", PEPPER.encode())
    await MongoApiKeys(connection).add(key)
    port = free_port()
    headers = {"X-API-KEY": key.api_key, "X-API-SECRET": secret}
    settings = {"MONGO_URI": mongo_uri, "MONGO_DATABASE": database, "POOL_QUEUE": str(PLACES - 1)}
    with running(port, **settings) as process:
        limits = httpx.Limits(max_connections=50)
        async with httpx.AsyncClient(
            base_url=f"http://{HOST}:{port}", headers=headers, timeout=60, trust_env=False, limits=limits
        ) as client:
            yield client, process.pid


async def test_it_is_served_whole_to_as_many_as_there_are_places_and_the_others_come_again(
    store: MongoStore, client: tuple[httpx.AsyncClient, int]
) -> None:
    api, program = client
    await put_large(store, long_call(TURNS, line="It cost $27, as I said."))
    folded, _ = fold_documents((await store.read([CALL]))[CALL], load())
    record = render(folded.record)

    reading = [asyncio.create_task(api.get(LARGE)) for _ in range(20)]
    await eventually_async(lambda: _answered(reading, 20 - PLACES), within=60)
    neighbours = await asyncio.gather(*(api.get(NEIGHBOUR) for _ in range(20)))
    answers = await asyncio.gather(*reading)

    whole = [answer for answer in answers if answer.status_code == 200]
    refused = [answer for answer in answers if answer.status_code == 503]
    assert (len(whole), len(refused)) == (PLACES, 20 - PLACES)
    assert {answer.headers["Retry-After"] for answer in refused} == {"5"}
    assert all(answer.content.endswith(record.body + b"}") for answer in whole)
    assert {answer.headers["ETag"] for answer in whole} == {record.etag}
    assert {answer.status_code for answer in neighbours} == {200}
    assert len(children(program)) == 1


async def _answered(reading: list[asyncio.Task[httpx.Response]], number: int) -> bool:
    return sum(each.done() for each in reading) >= number


async def test_a_final_record_that_was_not_stored_is_known_without_a_process(
    store: MongoStore, client: tuple[httpx.AsyncClient, int]
) -> None:
    api, program = client
    await put_large(store, long_call(TURNS // 20))
    (lease,) = await store.lease([CALL], next(tokens))
    await store.store_results([(lease, too_large())])

    answer = await api.get(LARGE, headers={"If-None-Match": result().etag})

    assert (answer.status_code, answer.headers["X-Call-Finality"]) == (304, "final")
    assert children(program) == []
