"""`GET /api/calls/{callId}/details`."""

import orjson
import pytest

from shared.calls.read_details import read_details
from tests.support.api.client import Reader, break_call, put, reader
from tests.support.events.makers import STARTED, book, event
from tests.support.events.seed_call import seed_call

CALL = "/api/calls/call-456"
DETAILS = f"{CALL}/details"
ENDED = event("call.ended", at=STARTED + 300_000)


@pytest.fixture
async def api() -> Reader:
    return await reader()


async def test_the_response_is_the_envelope_of_the_record_around_the_details(api: Reader) -> None:
    await put(api.store, seed_call())
    reading = await read_details(api.store, "org-789/call-456", book())

    response = await api.get(DETAILS)

    assert reading is not None
    assert response.status_code == 200
    assert response.headers["ETag"] == reading.etag
    assert response.content == (
        b'{"message":"Call details retrieved successfully","status":"success","error":null,"data":%b}' % reading.body
    )


async def test_the_headers_are_those_of_the_record(api: Reader) -> None:
    await put(api.store, [*seed_call(), ENDED], final=True)
    record = await api.get(CALL)

    response = await api.get(DETAILS)

    assert set(response.headers) == set(record.headers)
    for name in ("Content-Type", "X-Call-Finality", "Cache-Control", "Vary"):
        assert response.headers[name] == record.headers[name]
    assert response.headers["ETag"] != record.headers["ETag"]


@pytest.mark.parametrize(
    ("ended", "final", "finality"), [(False, False, "live"), (True, False, "settling"), (True, True, "final")]
)
async def test_header_and_body_name_the_finality(api: Reader, ended: bool, final: bool, finality: str) -> None:
    await put(api.store, seed_call() + [ENDED] * ended, final=final)

    response = await api.get(DETAILS)

    assert response.headers["X-Call-Finality"] == response.json()["data"]["finality"] == finality


async def test_details_that_the_client_has_are_not_sent_again(api: Reader) -> None:
    await put(api.store, seed_call())
    full = await api.get(DETAILS)

    response = await api.get(DETAILS, {"If-None-Match": full.headers["ETag"]})

    assert (response.status_code, response.content) == (304, b"")
    for name in ("ETag", "X-Call-Finality", "Cache-Control", "Vary"):
        assert response.headers[name] == full.headers[name]


async def test_each_event_changes_the_entity_tag(api: Reader) -> None:
    await put(api.store, seed_call())
    before = await api.get(DETAILS)
    await put(api.store, [event("call.note", at=STARTED + 400_000)])

    after = await api.get(DETAILS, {"If-None-Match": before.headers["ETag"]})

    assert after.status_code == 200
    assert after.json()["data"]["event_count"] == before.json()["data"]["event_count"] + 1


async def test_head_has_the_headers_of_get(api: Reader) -> None:
    await put(api.store, seed_call())
    got = await api.get(DETAILS)

    response = await api.get(DETAILS, method="HEAD")

    assert response.status_code == 200
    for name in ("ETag", "Content-Length", "Content-Type", "X-Call-Finality"):
        assert response.headers[name] == got.headers[name]


async def test_nothing_of_an_opted_out_call_is_served(api: Reader) -> None:
    await put(api.store, [*seed_call(), event("call.updated", opt_out_sensitive_data_storage=True)])

    response = await api.get(DETAILS)

    assert response.json()["data"]["turns"] == []
    assert b"Hello" not in response.content


@pytest.mark.parametrize(
    ("headers", "method", "call", "status"),
    [
        ({"X-API-SECRET": "wrong"}, "GET", "call-456", 401),
        ({}, "POST", "call-456", 405),
        ({}, "GET", "call-1", 404),
        ({}, "GET", "broken", 500),
    ],
)
async def test_errors_are_those_of_the_record(
    api: Reader, headers: dict[str, str], method: str, call: str, status: int
) -> None:
    await put(api.store, seed_call())
    await break_call(api.store, "org-789/broken")
    headers |= {"X-Request-ID": "request-1"}
    record = await api.get(f"/api/calls/{call}", headers, method)

    response = await api.get(f"/api/calls/{call}/details", headers, method)

    assert response.status_code == status
    assert (response.content, response.headers) == (record.content, record.headers)


async def test_a_call_of_another_organization_is_not_found(api: Reader) -> None:
    await put(api.store, [event("call.created", organization="org-1")])

    response = await api.get(DETAILS)

    assert response.status_code == 404


async def test_an_id_that_ends_like_the_path_of_details_is_an_id(api: Reader) -> None:
    calls = ["a", "a/details", "a/details/details"]
    for call in calls:
        await put(api.store, [event("call.created", call=call)])
    paths = {"a": "a", "a/details": "a%2Fdetails", "a/details/details": "a%2Fdetails%2fdetails"}

    records = {call: orjson.loads((await api.get(f"/api/calls/{paths[call]}")).content) for call in calls}
    details = {call: orjson.loads((await api.get(f"/api/calls/{paths[call]}/details")).content) for call in calls}

    for read, key in ((records, "call_status"), (details, "ends")):
        assert [read[call]["data"]["call_id"] for call in calls] == calls
        assert all(key in read[call]["data"] for call in calls)
