"""The short way to a call says what the framework's own way says."""

import httpx
import pytest
from fastapi import FastAPI
from starlette.types import Receive, Scope, Send

from services.api.fast_path import leads_to_call
from tests.support.api.client import Reader, break_call, put, reader
from tests.support.events.makers import event
from tests.support.events.seed_call import seed_call

CALL = "/api/calls/call-456"
ID = {"X-Request-ID": "request-1"}


@pytest.fixture
async def api() -> Reader:
    api = await reader()
    await put(api.store, seed_call())
    await put(api.store, [event("call.created", call="Grüße")])
    await break_call(api.store, "org-789/broken")
    return api


def the_long_way(api: Reader) -> Reader:
    """Return the same API, by the framework's routes alone."""

    async def routed(scope: Scope, receive: Receive, send: Send) -> None:
        await FastAPI.__call__(api.app, scope, receive, send)

    return Reader(routed, api.store, api.keys, api.headers)  # type: ignore[arg-type]


def told(answer: httpx.Response) -> tuple[int, bytes, list[tuple[str, str]]]:
    return answer.status_code, answer.content, sorted(answer.headers.multi_items())


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "DELETE", "OPTIONS"])
@pytest.mark.parametrize(
    "path",
    ["call-456", "none", "", "a/b", "a%2Fb", "call-456/", "%00", "%FF", "a%0A", "x" * 257, "Gr%C3%BC%C3%9Fe", "broken"],
)
async def test_both_ways_say_the_same(api: Reader, method: str, path: str) -> None:
    long_way = the_long_way(api)

    answers = [await each.get(f"/api/calls/{path}", ID, method) for each in (api, long_way)]

    assert told(answers[0]) == told(answers[1])


@pytest.mark.parametrize("headers", [{"X-API-SECRET": "wrong"}, {"X-API-KEY": ""}, {"If-None-Match": "*"}])
async def test_both_ways_read_the_same_headers(api: Reader, headers: dict[str, str]) -> None:
    long_way = the_long_way(api)

    answers = [await each.get(CALL, ID | headers) for each in (api, long_way)]

    assert told(answers[0]) == told(answers[1])


def test_what_a_prefix_leads_to_is_the_frameworks() -> None:
    scope = {"type": "http", "method": "GET", "path": CALL}

    assert leads_to_call(scope)
    assert not leads_to_call({**scope, "root_path": "/api"})
    assert not leads_to_call({"type": "lifespan"})
