"""What every request gets: an id, a count, a response."""

import asyncio
import re

import pytest
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from structlog.testing import capture_logs

from services.api.access_log import AccessLog
from services.api.metrics import API
from services.api.middleware import RequestMiddleware
from tests.support.api.client import Reader, put, reader
from tests.support.events.seed_call import seed_call

ROUTE = "/api/calls/{callId}"


@pytest.fixture
async def api() -> Reader:
    api = await reader()
    await put(api.store, seed_call())
    return api


def counted(route: str, status: int) -> float:
    labels = {"route": route, "status": str(status)}
    return API.registry.get_sample_value("callfold_api_requests_total", labels) or 0.0


PATHS = ["/api/calls/call-456", "/api/calls/none", "/api/calls/%00", "/nowhere", "/healthz", "/readyz", "/docs"]


@pytest.mark.parametrize("path", [*PATHS, "/metrics", "/openapi.json", "/docs/start.js"])
async def test_every_response_carries_the_request_id_of_the_client(api: Reader, path: str) -> None:
    given = "Az09._-" + "x" * 121

    response = await api.get(path, {"X-Request-ID": given})

    assert response.headers.get_list("X-Request-ID") == [given]


@pytest.mark.parametrize("given", [None, "", "a b", "a\tb", "x" * 129, "ü", 'a"b', "a/b"])
async def test_a_request_id_that_is_not_well_formed_is_replaced(api: Reader, given: str | None) -> None:
    headers = {} if given is None else {"X-Request-ID": given}

    responses = [await api.get("/healthz", headers) for _ in range(2)]

    first, second = (response.headers["X-Request-ID"] for response in responses)
    assert re.fullmatch("[0-9a-f]{32}", first)
    assert first != second


async def test_error_responses_carry_the_request_id(api: Reader) -> None:
    headers = {"X-Request-ID": "request-1"}

    refused = await api.get("/api/calls/call-456", {**headers, "X-API-SECRET": "wrong"})
    wrong_method = await api.get("/api/calls/call-456", headers, method="POST")
    kept = await api.get("/api/calls/call-456", {**headers, "If-None-Match": "*"})

    assert [response.status_code for response in (refused, wrong_method, kept)] == [401, 405, 304]
    assert {response.headers["X-Request-ID"] for response in (refused, wrong_method, kept)} == {"request-1"}


@pytest.mark.parametrize(
    ("path", "route", "status"),
    [
        ("/api/calls/call-456", ROUTE, 200),
        ("/api/calls/another", ROUTE, 404),
        ("/api/calls/%00", ROUTE, 400),
        ("/api/calls/call-456/details", f"{ROUTE}/details", 200),
        ("/api/calls/call-456%2Fdetails", ROUTE, 404),
        ("/api/calls/a/b", "none", 404),
        ("/healthz", "/healthz", 200),
        ("/docs/x", "/docs/{name}", 404),
    ],
)
async def test_each_request_is_counted_once_under_its_route(api: Reader, path: str, route: str, status: int) -> None:
    before = counted(route, status)

    await api.get(path)

    assert counted(route, status) == before + 1


@pytest.mark.parametrize(("tag", "status"), [("*", 304), ('"other"', 200)])
async def test_a_conditional_request_is_counted_under_its_route(api: Reader, tag: str, status: int) -> None:
    before = counted(ROUTE, status)

    await api.get("/api/calls/call-456", {"If-None-Match": tag})

    assert counted(ROUTE, status) == before + 1


async def test_a_method_that_is_not_allowed_is_counted_under_the_route(api: Reader) -> None:
    before = counted(ROUTE, 405)

    await api.get("/api/calls/call-456", method="POST")

    assert counted(ROUTE, 405) == before + 1


async def test_no_metric_names_a_call(api: Reader) -> None:
    await api.get("/api/calls/call-456")
    await api.get("/api/calls/call-789/x")

    response = await api.get("/metrics")

    assert response.headers["Content-Type"].startswith("text/plain")
    assert 'callfold_api_requests_total{route="/api/calls/{callId}",status="200"}' in response.text
    assert "call-456" not in response.text
    assert "call-789" not in response.text


@pytest.mark.parametrize("length", [0, 65_536, 65_537, 300_000])
async def test_a_long_body_is_sent_in_slices(length: int) -> None:
    body = bytes(range(256)) * 2_000
    first, last = body[:length], body[1 : length + 1]

    async def app(_scope: Scope, _receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": first, "more_body": True})
        await send({"type": "http.response.body", "body": last})

    _, *sent = await _run(app)

    assert max(len(message["body"]) for message in sent) <= 65_536
    assert b"".join(message["body"] for message in sent) == first + last
    assert [message.get("more_body", False) for message in sent] == [True] * (len(sent) - 1) + [False]


async def test_a_request_that_is_cancelled_is_logged() -> None:
    async def cancelled(_scope: Scope, _receive: Receive, _send: Send) -> None:
        raise asyncio.CancelledError

    with capture_logs() as lines, pytest.raises(asyncio.CancelledError):
        await _run(cancelled)

    assert [(line["event"], line["status"]) for line in lines] == [("request", None)]


@pytest.mark.parametrize(("method", "sent"), [("GET", 3), ("HEAD", 0)])
async def test_the_bytes_of_a_line_are_those_that_were_sent(method: str, sent: int) -> None:
    async def app(_scope: Scope, _receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"abc"})

    with capture_logs() as lines:
        await _run(app, method, rate=1)

    assert [line["bytes"] for line in lines] == [sent]


async def test_an_exception_after_the_start_of_the_response_adds_nothing_to_it() -> None:
    async def breaking(_scope: Scope, _receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        raise RuntimeError("she said 27")

    with capture_logs() as lines:
        sent = await _run(breaking)

    assert [message["type"] for message in sent] == ["http.response.start"]
    assert [line["event"] for line in lines] == ["internal_error"]


async def _run(app: ASGIApp, method: str = "GET", rate: float = 0.0) -> list[Message]:
    """Return what a request makes the middleware send."""
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    async def receive() -> Message:
        return {"type": "http.request"}

    request = {"type": "http", "method": method, "path": "/", "headers": []}
    await RequestMiddleware(app, AccessLog(rate))(request, receive, send)
    return sent
