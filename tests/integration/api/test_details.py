"""Record and details of calls from the real API: live, ended, and with ids that hold a slash."""

from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from deploy.local.ports import HOST, free_port
from shared.store.api_keys import new_key
from shared.store.mongo.api_keys import MongoApiKeys
from shared.store.mongo.calls import MongoStore
from shared.store.mongo.client import Connection
from tests.support.api.client import PEPPER, break_call, put
from tests.support.api.program import running
from tests.support.events.makers import STARTED, Json, event
from tests.support.eventually import scaled

OF_THE_END = {"finality", "event_count", "legs", "ends", "problems", "problem_count"}
IDS = ["call-456", "a", "a/b", "a%2Fb", "a%252Fb", "a/details", "/", "f0Nl/ZjE=@10.0.0.1 +é?x#y", "..."]


def begun(call: str = "call-456") -> list[Json]:
    """Return the events of a call that goes on."""
    return [
        event("call.started", call=call, leg_id="caller", direction="inbound", from_number="+1234567890"),
        event("transcript.turn", call=call, at=STARTED + 5_000, turn_id="1", leg_id="caller"),
        event("tool.called", call=call, at=STARTED + 6_000),
        event("tool.returned", call=call, at=STARTED + 7_000, successful=True),
        event("usage.reported", call=call, at=STARTED + 8_000),
    ]


def ended(call: str = "call-456") -> Json:
    return event("call.ended", call=call, at=STARTED + 300_000)


@pytest.fixture
async def store(connection: Connection) -> MongoStore:
    store = MongoStore(connection)
    await store.prepare()
    return store


@pytest.fixture
async def api(connection: Connection, mongo_uri: str, database: str) -> AsyncIterator[httpx.AsyncClient]:
    key, secret = new_key("org-789", PEPPER.encode())
    await MongoApiKeys(connection).add(key)
    port = free_port()
    # httpx asks for gzip, which has an entity tag of its own.
    headers = {"X-API-KEY": key.api_key, "X-API-SECRET": secret, "Accept-Encoding": "identity"}
    with running(port, MONGO_URI=mongo_uri, MONGO_DATABASE=database):
        async with httpx.AsyncClient(
            base_url=f"http://{HOST}:{port}/api/calls/", headers=headers, timeout=scaled(30), trust_env=False
        ) as client:
            yield client


async def details(api: httpx.AsyncClient, call: str = "call-456") -> tuple[dict[str, Any], httpx.Headers]:
    response = await api.get(f"{quote(call, safe='')}/details")
    assert response.status_code == 200, response.text
    data: dict[str, Any] = response.json()["data"]
    assert data["finality"] == response.headers["X-Call-Finality"]
    return data, response.headers


async def test_what_the_end_does_not_change_is_the_same_live_ended_and_final(
    store: MongoStore, api: httpx.AsyncClient
) -> None:
    await put(store, begun())
    live, _ = await details(api)

    await put(store, [ended()])
    settling, _ = await details(api)
    await put(store, [*begun(), ended()], final=True)
    final, headers = await details(api)
    unchanged = await api.get("call-456/details", headers={"If-None-Match": headers["ETag"]})

    assert [each["finality"] for each in (live, settling, final)] == ["live", "settling", "final"]
    assert len(live["turns"]) == len(live["tool_calls"]) == len(live["usage"]) == 1
    for name in set(live) - OF_THE_END:
        assert live[name] == settling[name], name
    assert [end["standing"] for end in settling["ends"]] == ["final"]
    assert unchanged.status_code == 304


async def test_a_call_that_becomes_final_keeps_its_details(store: MongoStore, api: httpx.AsyncClient) -> None:
    call = [*begun(), ended()]
    await put(store, call)
    settling, _ = await details(api)

    await put(store, call, final=True)
    final, _ = await details(api)

    assert final == settling | {"finality": "final"}


async def test_any_id_is_read_percent_encoded(store: MongoStore, api: httpx.AsyncClient) -> None:
    for call in IDS:
        await put(store, begun(call))

    records = [await api.get(quote(call, safe="")) for call in IDS]

    assert [record.json()["data"]["call_id"] for record in records] == IDS
    assert all("transcript" in record.json()["data"] for record in records)
    assert [(await details(api, call))[0]["call_id"] for call in IDS] == IDS


async def test_other_paths_find_nothing(store: MongoStore, api: httpx.AsyncClient) -> None:
    await put(store, begun("a/b"))
    await break_call(store, "org-789/broken")

    statuses = {
        path: (await api.get(path)).status_code
        for path in ("a/b", "a%2Fb%2Fdetails", "a%2Fb/", "%2E%2E", "%2E%2E/details", "%FF", "broken/details")
    }

    assert statuses == {
        "a/b": 404,
        "a%2Fb%2Fdetails": 404,
        "a%2Fb/": 404,
        "%2E%2E": 400,
        "%2E%2E/details": 400,
        "%FF": 400,
        "broken/details": 500,
    }
