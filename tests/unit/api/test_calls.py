"""`GET /api/calls/{callId}` where there is something to tell."""

import json

import orjson
import pytest

from shared.calls.fold_call import fold_documents, render
from tests.support.api.client import Reader, put, reader
from tests.support.events.makers import STARTED, book, event
from tests.support.events.seed_call import seed_call, seed_response

CALL = "/api/calls/call-456"


@pytest.fixture
async def api() -> Reader:
    return await reader()


async def test_the_answer_is_the_seeds_envelope_around_the_record(api: Reader) -> None:
    await put(api.store, seed_call())
    folded, _ = fold_documents(api.store.log.values(), book())

    answer = await api.get(CALL)

    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.content == (
        b'{"message":"Call retrieved successfully","status":"success","error":null,"data":%b}'
        % render(folded.record).body
    )


async def test_the_keys_have_the_seeds_order(api: Reader) -> None:
    await put(api.store, seed_call())

    answer = await api.get(CALL)

    assert list(answer.json()) == list(seed_response())
    assert list(answer.json()["data"]) == list(seed_response()["data"])


@pytest.mark.parametrize(
    ("ended", "final", "finality"), [(False, False, "live"), (True, False, "settling"), (True, True, "final")]
)
async def test_a_header_says_how_far_the_call_is_settled(api: Reader, ended: bool, final: bool, finality: str) -> None:
    call = seed_call() + [event("call.ended", at=STARTED + 300_000)] * ended
    await put(api.store, call, final=final)

    answer = await api.get(CALL)

    assert answer.headers["X-Call-Finality"] == finality


async def test_a_final_record_is_served_byte_for_byte_as_it_is_stored(api: Reader) -> None:
    await put(api.store, [*seed_call(), event("call.ended", at=STARTED + 300_000)], final=True)
    stored = await api.store.find("org-789/call-456")

    answer = await api.get(CALL)

    assert answer.content.endswith(b'"data":%b}' % stored.body)
    assert answer.headers["ETag"] == stored.etag


async def test_the_answer_may_be_kept_by_its_reader_alone_and_must_be_asked_for_again(api: Reader) -> None:
    await put(api.store, seed_call())

    answer = await api.get(CALL)

    assert answer.headers["Cache-Control"] == "private, no-cache"
    assert answer.headers["Vary"] == "X-API-KEY, X-API-SECRET"


@pytest.mark.parametrize("template", ["{}", "W/{}", '"other", {}', '"other",W/{}', " * ", '"a, b", {} , "c"'])
async def test_what_the_reader_has_is_not_sent_again(api: Reader, template: str) -> None:
    await put(api.store, seed_call())
    full = await api.get(CALL)

    answer = await api.get(CALL, {"If-None-Match": template.format(full.headers["ETag"])})

    assert (answer.status_code, answer.content) == (304, b"")
    for name in ("ETag", "X-Call-Finality", "Cache-Control", "Vary"):
        assert answer.headers[name] == full.headers[name]
    assert "Content-Type" not in answer.headers


@pytest.mark.parametrize("template", ['"other"', 'W/"other"', "nonsense", "", '"*"'])
async def test_what_the_reader_does_not_have_is_sent(api: Reader, template: str) -> None:
    await put(api.store, seed_call())

    answer = await api.get(CALL, {"If-None-Match": template})

    assert answer.status_code == 200


async def test_a_call_that_goes_on_gets_another_entity_tag_with_each_event(api: Reader) -> None:
    await put(api.store, seed_call())
    before = await api.get(CALL)
    await put(api.store, [event("call.note", at=STARTED + 400_000)])

    after = await api.get(CALL, {"If-None-Match": before.headers["ETag"]})

    assert after.status_code == 200
    assert after.headers["ETag"] != before.headers["ETag"]


async def test_head_has_the_headers_of_get(api: Reader) -> None:
    await put(api.store, seed_call())
    got = await api.get(CALL)

    answer = await api.get(CALL, method="HEAD")

    assert answer.status_code == 200
    for name in ("ETag", "Content-Length", "Content-Type", "X-Call-Finality"):
        assert answer.headers[name] == got.headers[name]


@pytest.mark.parametrize("call_id", ["x" * 256, "Grüße 🙂", "a?b#c%d", "..a", "\ufffd", "'\"\\", "𝄞" * 256])
async def test_any_id_that_the_contract_allows_is_found(api: Reader, call_id: str) -> None:
    await put(api.store, [event("call.created", call=call_id)])
    encoded = "".join(f"%{byte:02X}" for byte in call_id.encode())

    answer = await api.get(f"/api/calls/{encoded}")

    assert answer.status_code == 200
    assert orjson.loads(answer.content)["data"]["call_id"] == call_id


async def test_another_organizations_call_of_the_same_id_stays_theirs(api: Reader) -> None:
    await put(api.store, [event("call.created", agent_id="theirs", organization="org-1")])
    await put(api.store, [event("call.created", agent_id="ours")])

    answer = await api.get(CALL)

    assert json.loads(answer.content)["data"]["agent_id"] == "ours"
