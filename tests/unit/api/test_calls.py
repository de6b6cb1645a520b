"""`GET /api/calls/{callId}` for a call that exists."""

import json

import orjson
import pytest

from shared.calls.fold_call import fold_documents, render
from tests.support.api.client import Reader, put, reader
from tests.support.events.makers import STARTED, book, event
from tests.support.events.seed_call import seed_call, seed_response
from tests.support.store.makers import body_of

CALL = "/api/calls/call-456"


@pytest.fixture
async def api() -> Reader:
    return await reader()


async def test_the_response_is_the_envelope_of_the_seed_around_the_record(api: Reader) -> None:
    await put(api.store, seed_call())
    folded, _ = fold_documents(api.store.log.values(), book())

    response = await api.get(CALL)

    assert response.status_code == 200
    assert response.headers["Content-Type"] == "application/json"
    assert response.content == (
        b'{"message":"Call retrieved successfully","status":"success","error":null,"data":%b}'
        % render(folded.record).body
    )


async def test_the_keys_have_the_order_of_the_seed(api: Reader) -> None:
    await put(api.store, seed_call())

    response = await api.get(CALL)

    assert list(response.json()) == list(seed_response())
    assert list(response.json()["data"]) == list(seed_response()["data"])


@pytest.mark.parametrize(
    ("ended", "final", "finality"), [(False, False, "live"), (True, False, "settling"), (True, True, "final")]
)
async def test_a_header_names_the_finality_of_the_record(api: Reader, ended: bool, final: bool, finality: str) -> None:
    call = seed_call() + [event("call.ended", at=STARTED + 300_000)] * ended
    await put(api.store, call, final=final)

    response = await api.get(CALL)

    assert response.headers["X-Call-Finality"] == finality


async def test_a_final_record_is_served_byte_for_byte_as_it_is_stored(api: Reader) -> None:
    await put(api.store, [*seed_call(), event("call.ended", at=STARTED + 300_000)], final=True)
    stored = await api.store.find("org-789/call-456")

    response = await api.get(CALL)

    assert response.content.endswith(b'"data":%b}' % (body_of(stored) or b""))
    assert response.headers["ETag"] == stored.etag


async def test_only_the_client_may_cache_the_record_and_it_must_revalidate(api: Reader) -> None:
    await put(api.store, seed_call())

    response = await api.get(CALL)

    assert response.headers["Cache-Control"] == "private, no-cache"
    assert response.headers["Vary"] == "X-API-KEY, X-API-SECRET, Accept-Encoding"


@pytest.mark.parametrize("template", ["{}", "W/{}", '"other", {}', '"other",W/{}', " * ", '"a, b", {} , "c"'])
async def test_a_record_that_the_client_has_is_not_sent_again(api: Reader, template: str) -> None:
    await put(api.store, seed_call())
    full = await api.get(CALL)

    response = await api.get(CALL, {"If-None-Match": template.format(full.headers["ETag"])})

    assert (response.status_code, response.content) == (304, b"")
    for name in ("ETag", "X-Call-Finality", "Cache-Control", "Vary"):
        assert response.headers[name] == full.headers[name]
    assert "Content-Type" not in response.headers


@pytest.mark.parametrize("template", ['"other"', 'W/"other"', "nonsense", "", '"*"'])
async def test_a_record_that_the_client_does_not_have_is_sent(api: Reader, template: str) -> None:
    await put(api.store, seed_call())

    response = await api.get(CALL, {"If-None-Match": template})

    assert response.status_code == 200


async def test_each_event_of_a_live_call_changes_the_entity_tag(api: Reader) -> None:
    await put(api.store, seed_call())
    before = await api.get(CALL)
    await put(api.store, [event("call.note", at=STARTED + 400_000)])

    after = await api.get(CALL, {"If-None-Match": before.headers["ETag"]})

    assert after.status_code == 200
    assert after.headers["ETag"] != before.headers["ETag"]


async def test_head_has_the_headers_of_get(api: Reader) -> None:
    await put(api.store, seed_call())
    got = await api.get(CALL)

    response = await api.get(CALL, method="HEAD")

    assert response.status_code == 200
    for name in ("ETag", "Content-Length", "Content-Type", "X-Call-Finality"):
        assert response.headers[name] == got.headers[name]


@pytest.mark.parametrize(
    "call_id",
    [
        *("x" * 256, "Grüße 🙂", "a?b#c%d", "..a", "\ufffd", "'\"\\", "𝄞" * 256),
        *("a/b", "/", "//", "a/details", "a%2Fb", "%", "a/../b", "/" * 256),
    ],
)
async def test_any_id_that_the_contract_allows_is_found(api: Reader, call_id: str) -> None:
    await put(api.store, [event("call.created", call=call_id)])
    encoded = "".join(f"%{byte:02X}" for byte in call_id.encode())

    response = await api.get(f"/api/calls/{encoded}")

    assert response.status_code == 200
    assert orjson.loads(response.content)["data"]["call_id"] == call_id


async def test_a_call_of_another_organization_with_the_same_id_is_not_served(api: Reader) -> None:
    await put(api.store, [event("call.created", agent_id="theirs", organization="org-1")])
    await put(api.store, [event("call.created", agent_id="ours")])

    response = await api.get(CALL)

    assert json.loads(response.content)["data"]["agent_id"] == "ours"
