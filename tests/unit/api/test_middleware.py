"""What every request gets, whatever becomes of it."""

import re

import pytest
from starlette.types import Message, Receive, Scope, Send
from structlog.testing import capture_logs

from services.api.middleware import Edge
from shared.process.metrics import API
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
    return API.get_sample_value("callfold_api_requests_total", labels) or 0.0


PATHS = ["/api/calls/call-456", "/api/calls/none", "/api/calls/%00", "/nowhere", "/healthz", "/readyz", "/docs"]


@pytest.mark.parametrize("path", [*PATHS, "/metrics", "/openapi.json", "/docs/start.js"])
async def test_a_well_formed_id_is_taken_over_on_every_answer(api: Reader, path: str) -> None:
    given = "Az09._-" + "x" * 121

    answer = await api.get(path, {"X-Request-ID": given})

    assert answer.headers.get_list("X-Request-ID") == [given]


@pytest.mark.parametrize("given", [None, "", "a b", "a\tb", "x" * 129, "ü", 'a"b', "a/b"])
async def test_any_other_id_is_replaced_by_a_new_one(api: Reader, given: str | None) -> None:
    headers = {} if given is None else {"X-Request-ID": given}

    answers = [await api.get("/healthz", headers) for _ in range(2)]

    first, second = (answer.headers["X-Request-ID"] for answer in answers)
    assert re.fullmatch("[0-9a-f]{32}", first)
    assert first != second


async def test_the_errors_have_an_id_too(api: Reader) -> None:
    headers = {"X-Request-ID": "request-1"}

    refused = await api.get("/api/calls/call-456", {**headers, "X-API-SECRET": "wrong"})
    wrong_method = await api.get("/api/calls/call-456", headers, method="POST")
    kept = await api.get("/api/calls/call-456", {**headers, "If-None-Match": "*"})

    assert [answer.status_code for answer in (refused, wrong_method, kept)] == [401, 405, 304]
    assert {answer.headers["X-Request-ID"] for answer in (refused, wrong_method, kept)} == {"request-1"}


@pytest.mark.parametrize(
    ("path", "route", "status"),
    [
        ("/api/calls/call-456", ROUTE, 200),
        ("/api/calls/another", ROUTE, 404),
        ("/api/calls/%00", ROUTE, 400),
        ("/api/calls/a/b", "none", 404),
        ("/healthz", "/healthz", 200),
        ("/docs/x", "/docs/{name}", 404),
    ],
)
async def test_each_request_counts_once_by_its_template(api: Reader, path: str, route: str, status: int) -> None:
    before = counted(route, status)

    await api.get(path)

    assert counted(route, status) == before + 1


async def test_a_wrong_method_counts_for_the_route(api: Reader) -> None:
    before = counted(ROUTE, 405)

    await api.get("/api/calls/call-456", method="POST")

    assert counted(ROUTE, 405) == before + 1


async def test_no_metric_names_a_call(api: Reader) -> None:
    await api.get("/api/calls/call-456")
    await api.get("/api/calls/call-789/x")

    answer = await api.get("/metrics")

    assert answer.headers["Content-Type"].startswith("text/plain")
    assert 'callfold_api_requests_total{route="/api/calls/{callId}",status="200"}' in answer.text
    assert "call-456" not in answer.text
    assert "call-789" not in answer.text


async def test_an_answer_that_breaks_off_is_left_as_it_is() -> None:
    sent = []

    async def breaking(_scope: Scope, _receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        raise RuntimeError("she said 27")

    async def send(message: Message) -> None:
        sent.append(message["type"])

    async def receive() -> Message:
        return {"type": "http.request"}

    with capture_logs() as lines:
        await Edge(breaking)({"type": "http", "method": "GET", "headers": []}, receive, send)

    assert sent == ["http.response.start"]
    assert [line["event"] for line in lines] == ["internal_error"]


async def test_a_request_writes_no_line(api: Reader) -> None:
    with capture_logs() as lines:
        for path in PATHS:
            await api.get(path)

    assert lines == []
