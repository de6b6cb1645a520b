"""The error responses of the API, word for word, and what is logged with them."""

import asyncio
from typing import Any

import pytest
from structlog.testing import capture_logs

from shared.store.memory.calls import MemoryStore
from shared.store.models import StoredCall
from shared.store.ports import AccessRefused, StoreUnavailable
from tests.support.api.client import Reader, beside_requests, break_call, put, reader
from tests.support.events.makers import STARTED, event
from tests.support.events.seed_call import seed_call
from tests.support.store.makers import damage_record

CALL = "/api/calls/call-456"
ID = {"X-Request-ID": "request-1"}


class FailingStore(MemoryStore):
    """Fails with `failure`, or never answers while it `hangs`."""

    def __init__(self) -> None:
        super().__init__()
        self.failure: Exception | None = None
        self.hangs = False

    async def find(self, call: str) -> StoredCall | None:
        await self.ping()
        return await super().find(call)

    async def ping(self) -> None:
        if self.hangs:
            await asyncio.Event().wait()
        if self.failure:
            raise self.failure


@pytest.fixture
async def api() -> Reader:
    api = await reader(FailingStore(), api_timeout_ms=1_000)
    await put(api.store, seed_call())
    return api


async def test_a_call_that_does_not_exist_is_not_found(api: Reader) -> None:
    response = await api.get("/api/calls/call-1")

    assert response.status_code == 404
    assert response.json() == {
        "message": "Call not found",
        "status": "error",
        "error": "Call with ID 'call-1' does not exist",
    }
    assert list(response.json()) == ["message", "status", "error"]


async def test_a_call_of_another_organization_looks_like_one_that_does_not_exist(api: Reader) -> None:
    missing = await api.get("/api/calls/call-1", ID)
    await put(api.store, [event("call.created", call="call-1", organization="org-1")])

    other = await api.get("/api/calls/call-1", ID)

    assert other.status_code == missing.status_code
    assert other.content == missing.content
    assert other.headers == missing.headers


@pytest.mark.parametrize(
    "path",
    [
        *("%00", "a%00b", "%1F", "%7F", "%C2%80", "%C2%9F", "a%0A", "%0D%0A", "%FF", "%ED%A0%80", "%C3%28"),
        *("x" * 257, "a%2F" * 129, "%2E", "%2E%2E", "%2e%2e"),
    ],
)
@pytest.mark.parametrize("view", ["", "/details"])
async def test_an_invalid_call_id_is_rejected(api: Reader, path: str, view: str) -> None:
    response = await api.get(f"/api/calls/{path}{view}")

    assert response.status_code == 400
    assert response.json() == {
        "message": "Invalid call ID",
        "status": "error",
        "error": "A call ID must be UTF-8, at most 256 characters long, without control characters, not '.' or '..'",
    }


@pytest.mark.parametrize(
    "path",
    [
        *("/", "/api", "/api/calls", "/api/calls/", f"{CALL}/", "/api/calls/a/b", "/redoc", "/docs/x"),
        *(f"{CALL}/details/", f"{CALL}/details/x", "/api/calls//details", "/api%2Fcalls/call-456"),
    ],
)
async def test_other_paths_do_not_exist(api: Reader, path: str) -> None:
    response = await api.get(path)

    assert response.status_code == 404
    assert response.json() == {
        "message": "Not found",
        "status": "error",
        "error": "This path does not exist; /docs lists the paths",
    }


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"])
async def test_other_methods_are_not_allowed(api: Reader, method: str) -> None:
    response = await api.get(CALL, method=method)

    assert response.status_code == 405
    assert response.headers["Allow"] == "GET, HEAD"
    assert response.json() == {
        "message": "Method not allowed",
        "status": "error",
        "error": "Only GET and HEAD are allowed",
    }


@pytest.mark.parametrize("fault", [{"failure": StoreUnavailable("away")}, {"hangs": True}])
async def test_while_the_store_does_not_answer_the_client_is_asked_to_try_again(
    api: Reader, fault: dict[str, Any]
) -> None:
    vars(api.store).update(fault)

    unavailable = await api.get(CALL)
    vars(api.store).update(failure=None, hangs=False)
    recovered = await api.get(CALL)

    assert unavailable.status_code == 503
    assert unavailable.headers["Retry-After"] == "1"
    assert unavailable.json() == {
        "message": "Service unavailable",
        "status": "error",
        "error": "The database does not answer; try again",
    }
    assert recovered.status_code == 200


async def test_an_outage_of_the_store_is_logged_once_when_it_begins_and_once_when_it_ends(api: Reader) -> None:
    with capture_logs() as lines:
        for failure in (StoreUnavailable("away"), StoreUnavailable("away"), None, None):
            api.store.failure = failure
            await api.get(CALL)

    assert beside_requests(lines) == [
        {"event": "dependency_unavailable", "dependency": "mongodb", "error": "away", "log_level": "warning"},
        {"event": "dependency_recovered", "dependency": "mongodb", "log_level": "info"},
    ]


async def test_a_different_error_during_an_outage_is_logged(api: Reader) -> None:
    with capture_logs() as lines:
        for failure in (StoreUnavailable("away"), AccessRefused("wrong password"), AccessRefused("wrong password")):
            api.store.failure = failure
            await api.get(CALL)

    assert [line["error"] for line in beside_requests(lines)] == ["away", "wrong password"]


async def test_a_call_that_cannot_be_folded_is_an_internal_error(api: Reader) -> None:
    await break_call(api.store, "org-789/call-456")

    with capture_logs() as lines:
        response = await api.get(CALL, ID)

    assert response.status_code == 500
    assert response.json() == {
        "message": "Internal server error",
        "status": "error",
        "error": "The events of this call cannot be folded into a record; report request ID 'request-1'",
    }
    assert [(line["event"], line["call"], line["request_id"]) for line in beside_requests(lines)] == [
        ("call_broken", "org-789/call-456", "request-1")
    ]


@pytest.mark.parametrize("encoding", ["identity", "gzip"])
async def test_a_call_whose_stored_record_is_damaged_is_one_that_cannot_be_folded(api: Reader, encoding: str) -> None:
    await put(api.store, [event("call.ended", at=STARTED + 300_000)], final=True)
    await damage_record(api.store)

    with capture_logs() as lines:
        response = await api.get(CALL, {**ID, "Accept-Encoding": encoding})

    assert (response.status_code, response.json()["error"]) == (
        500,
        "The events of this call cannot be folded into a record; report request ID 'request-1'",
    )
    assert [(line["event"], line["call"], line["why"]) for line in beside_requests(lines)] == [
        ("call_broken", "org-789/call-456", "its stored record is damaged")
    ]


async def test_an_unexpected_exception_is_logged_without_its_message(api: Reader) -> None:
    api.store.failure = RuntimeError("she said 27")

    with capture_logs() as lines:
        response = await api.get(CALL, ID)

    assert response.status_code == 500
    assert response.headers["X-Request-ID"] == "request-1"
    assert response.json() == {
        "message": "Internal server error",
        "status": "error",
        "error": "An internal error occurred; report request ID 'request-1'",
    }
    assert beside_requests(lines) == [
        {
            "event": "internal_error",
            "request_id": "request-1",
            "route": "/api/calls/{callId}",
            "exc_info": True,
            "log_level": "error",
        }
    ]
