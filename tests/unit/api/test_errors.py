"""What the API says where there is nothing to tell: the exact words."""

import asyncio
from typing import Any

import pytest
from structlog.testing import capture_logs

from shared.store.memory.calls import MemoryStore
from shared.store.models import StoredCall
from shared.store.ports import AccessRefused, StoreUnavailable
from tests.support.api.client import Reader, break_call, put, reader
from tests.support.events.makers import event
from tests.support.events.seed_call import seed_call

CALL = "/api/calls/call-456"
ID = {"X-Request-ID": "request-1"}


class FailingStore(MemoryStore):
    """Fails as it is told to; waits for ever if it is told to wait."""

    def __init__(self) -> None:
        super().__init__()
        self.failure: Exception | None = None
        self.waits = False

    async def find(self, call: str) -> StoredCall | None:
        await self.ping()
        return await super().find(call)

    async def ping(self) -> None:
        if self.waits:
            await asyncio.Event().wait()
        if self.failure:
            raise self.failure


@pytest.fixture
async def api() -> Reader:
    api = await reader(FailingStore(), api_timeout_ms=100)
    await put(api.store, seed_call())
    return api


async def test_a_call_that_never_was_is_not_found(api: Reader) -> None:
    answer = await api.get("/api/calls/call-1")

    assert answer.status_code == 404
    assert answer.json() == {
        "message": "Call not found",
        "status": "error",
        "error": "Call with ID 'call-1' does not exist",
    }
    assert list(answer.json()) == ["message", "status", "error"]


async def test_another_organizations_call_cannot_be_told_from_one_that_never_was(api: Reader) -> None:
    never = await api.get("/api/calls/call-1", ID)
    await put(api.store, [event("call.created", call="call-1", organization="org-1")])

    theirs = await api.get("/api/calls/call-1", ID)

    assert theirs.status_code == never.status_code
    assert theirs.content == never.content
    assert theirs.headers == never.headers


@pytest.mark.parametrize(
    "path",
    ["%00", "a%00b", "%1F", "%7F", "%C2%80", "%C2%9F", "a%0A", "%0D%0A", "%FF", "%ED%A0%80", "%C3%28", "x" * 257],
)
async def test_an_id_that_no_call_can_have_is_invalid(api: Reader, path: str) -> None:
    answer = await api.get(f"/api/calls/{path}")

    assert answer.status_code == 400
    assert answer.json() == {
        "message": "Invalid call ID",
        "status": "error",
        "error": "A call ID is UTF-8, of at most 256 characters, none of them a control character",
    }


@pytest.mark.parametrize(
    "path",
    ["/", "/api", "/api/calls", "/api/calls/", f"{CALL}/", "/api/calls/a%2Fb", "/api/calls/a/b", "/redoc", "/docs/x"],
)
async def test_there_is_nothing_at_any_other_path(api: Reader, path: str) -> None:
    answer = await api.get(path)

    assert answer.status_code == 404
    assert answer.json() == {"message": "Not found", "status": "error", "error": "There is nothing at this path"}


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"])
async def test_nothing_can_be_changed(api: Reader, method: str) -> None:
    answer = await api.get(CALL, method=method)

    assert answer.status_code == 405
    assert answer.headers["Allow"] == "GET, HEAD"
    assert answer.json() == {"message": "Method not allowed", "status": "error", "error": "Only GET and HEAD are"}


@pytest.mark.parametrize("trouble", [{"failure": StoreUnavailable("away")}, {"waits": True}])
async def test_a_store_that_does_not_answer_is_worth_another_attempt(api: Reader, trouble: dict[str, Any]) -> None:
    vars(api.store).update(trouble)

    away = await api.get(CALL)
    vars(api.store).update(failure=None, waits=False)
    back = await api.get(CALL)

    assert away.status_code == 503
    assert away.headers["Retry-After"] == "1"
    assert away.json() == {
        "message": "Service unavailable",
        "status": "error",
        "error": "The store does not answer at the moment; try again",
    }
    assert back.status_code == 200


async def test_the_log_says_once_that_the_store_is_away_and_once_that_it_is_back(api: Reader) -> None:
    with capture_logs() as lines:
        for failure in (StoreUnavailable("away"), StoreUnavailable("away"), None, None):
            api.store.failure = failure
            await api.get(CALL)

    assert lines == [
        {"event": "dependency_unavailable", "dependency": "mongodb", "error": "away", "log_level": "warning"},
        {"event": "dependency_recovered", "dependency": "mongodb", "log_level": "info"},
    ]


async def test_the_log_says_of_a_store_that_was_away_that_it_lets_nobody_in_now(api: Reader) -> None:
    with capture_logs() as lines:
        for failure in (StoreUnavailable("away"), AccessRefused("wrong password"), AccessRefused("wrong password")):
            api.store.failure = failure
            await api.get(CALL)

    assert [line["error"] for line in lines] == ["away", "wrong password"]


async def test_a_call_that_cannot_be_folded_is_a_mistake_of_ours(api: Reader) -> None:
    await break_call(api.store, "org-789/call-456")

    with capture_logs() as lines:
        answer = await api.get(CALL, ID)

    assert answer.status_code == 500
    assert answer.json() == {
        "message": "Internal server error",
        "status": "error",
        "error": "The call's record cannot be made; this was request 'request-1'",
    }
    assert [(line["event"], line["call"], line["request_id"]) for line in lines] == [
        ("call_broken", "org-789/call-456", "request-1")
    ]


async def test_what_nobody_foresaw_is_told_to_the_log_alone(api: Reader) -> None:
    api.store.failure = RuntimeError("she said 27")

    with capture_logs() as lines:
        answer = await api.get(CALL, ID)

    assert answer.status_code == 500
    assert answer.headers["X-Request-ID"] == "request-1"
    assert answer.json() == {
        "message": "Internal server error",
        "status": "error",
        "error": "Something went wrong; this was request 'request-1'",
    }
    assert lines == [
        {
            "event": "internal_error",
            "request_id": "request-1",
            "route": "/api/calls/{callId}",
            "exc_info": True,
            "log_level": "error",
        }
    ]
