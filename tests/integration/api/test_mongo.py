"""The API on MongoDB: what the in-memory store cannot show."""

import asyncio

import pytest

from shared.store.mongo.api_keys import MongoApiKeys
from shared.store.mongo.calls import MongoStore
from shared.store.mongo.client import Connection
from tests.support.api.client import Reader, break_call, put, reader
from tests.support.events.makers import STARTED, event
from tests.support.events.seed_call import seed_call, seed_response

CALL = "/api/calls/call-456"
SAMPLED = ("id", "latency")  # the seed's id differs, and no samples have its percentiles


@pytest.fixture
async def api(connection: Connection) -> Reader:
    return await reader(MongoStore(connection), MongoApiKeys(connection))


async def test_a_live_call_is_the_seed(api: Reader) -> None:
    await put(api.store, seed_call())

    response = await api.get(CALL)

    body, seed = response.json(), seed_response()
    for name in SAMPLED:
        del body["data"][name], seed["data"][name]
    assert response.status_code == 200
    assert response.headers["X-Call-Finality"] == "live"
    assert body == seed


async def test_the_stored_record_is_the_one_folded_on_read(api: Reader) -> None:
    call = [*seed_call(), event("call.ended", at=STARTED + 300_000)]
    await put(api.store, call)
    folded = await api.get(CALL)
    await put(api.store, call, final=True)

    stored = await api.get(CALL)

    assert (folded.headers["X-Call-Finality"], stored.headers["X-Call-Finality"]) == ("settling", "final")
    assert (stored.content, stored.headers["ETag"]) == (folded.content, folded.headers["ETag"])


async def test_a_broken_call_is_an_internal_error(api: Reader) -> None:
    await break_call(api.store, "org-789/call-456")

    response = await api.get(CALL)

    assert response.status_code == 500


@pytest.mark.parametrize("call_id", ["$where", "a.b", "\ufffd", "\U0010ffff" * 256, "{}"])
async def test_a_call_id_is_never_interpreted(api: Reader, call_id: str) -> None:
    response = await api.get("/api/calls/" + "".join(f"%{byte:02X}" for byte in call_id.encode()))

    assert response.status_code == 404
    assert response.json()["error"] == f"Call with ID '{call_id}' does not exist"


async def test_a_revoked_key_stops_within_five_seconds(api: Reader) -> None:
    await put(api.store, seed_call())
    before = await api.get(CALL)
    await api.keys.revoke(api.headers["X-API-KEY"])

    await asyncio.sleep(5)
    after = await api.get(CALL)

    assert (before.status_code, after.status_code) == (200, 401)
