"""The access log: which requests have a line, and what is in it."""

import asyncio
from http import HTTPStatus
from typing import Any

import pytest
from structlog.testing import capture_logs

from services.api import access_log
from services.api.access_log import AccessLog, Request
from services.api.keys.authentication import Caller
from tests.support.api.client import Reader, break_call, put, reader
from tests.support.events.seed_call import seed_call

CALL = "/api/calls/call-456"
ROUTE = "/api/calls/{callId}"
ID = {"X-Request-ID": "request-1"}


async def api_of(**settings: Any) -> Reader:
    api = await reader(**settings)
    await put(api.store, seed_call())
    await break_call(api.store, "org-789/broken")
    return api


async def lines_of(api: Reader, path: str, headers: dict[str, str] | None = None) -> list[Any]:
    with capture_logs() as lines:
        await api.get(path, ID | (headers or {}))
    return [line for line in lines if line["event"] == "request"]


def request(status: int, caller: Caller | None = None) -> Request:
    return Request("id", ROUTE, status, 0.0123, 100, caller, "192.0.2.1")


def statuses(lines: list[Any]) -> list[int]:
    return [line["status"] for line in lines if line["event"] == "request"]


async def test_a_request_is_found_by_its_id_with_all_that_is_known_of_it_but_the_call() -> None:
    api = await api_of(api_access_log=1)
    response = await api.get(CALL)

    (line,) = await lines_of(api, CALL)

    assert line.pop("ms") > 0
    assert line == {
        "event": "request",
        "log_level": "info",
        "request_id": "request-1",
        "route": ROUTE,
        "status": 200,
        "bytes": len(response.content),
        "organization": "org-789",
        "key": api.headers["X-API-KEY"][:11],
    }


@pytest.mark.parametrize(
    ("path", "status", "route"),
    [
        (f"{CALL}/details", 200, f"{ROUTE}/details"),
        ("/api/calls/none", 404, ROUTE),
        ("/api/calls/%00", 400, ROUTE),
        ("/healthz", 200, "/healthz"),
        ("/nowhere", 404, "none"),
    ],
)
async def test_successful_requests_are_logged_by_the_setting_alone(path: str, status: int, route: str) -> None:
    on, off = await api_of(api_access_log=1), await api_of(api_access_log=0)

    logged, left_out = await lines_of(on, path), await lines_of(off, path)

    assert [(line["status"], line["route"]) for line in logged] == [(status, route)]
    assert "call" not in str(logged[0]).replace(ROUTE, "")
    assert left_out == []


async def test_what_fails_here_is_always_logged() -> None:
    (line,) = await lines_of(await api_of(api_access_log=0), "/api/calls/broken")

    assert (line["status"], line["log_level"], line["organization"]) == (500, "warning", "org-789")
    assert "address" not in line


async def test_a_rejected_key_is_always_logged_with_the_address_and_without_the_key() -> None:
    api = await api_of(api_access_log=0, api_rejected_keys_per_minute=1)
    wrong = {"X-API-KEY": "cf_my_secret", "X-API-SECRET": "another secret"}

    lines = [*await lines_of(api, CALL, wrong), *await lines_of(api, CALL, wrong)]

    assert [(line["status"], line["address"], line["key"]) for line in lines] == [
        (401, "127.0.0.1", None),
        (429, "127.0.0.1", None),
    ]
    assert "secret" not in str(lines)


async def test_a_key_that_is_used_too_often_is_named() -> None:
    api = await api_of(api_access_log=0, api_key_requests_per_second=1)

    lines = [*await lines_of(api, CALL), *await lines_of(api, CALL)]

    assert [(line["status"], line["organization"], line["key"]) for line in lines] == [
        (429, "org-789", api.headers["X-API-KEY"][:11])
    ]


def test_two_different_keys_are_always_logged_and_an_invalid_call_id_is_not() -> None:
    log = AccessLog(rate=0)

    with capture_logs() as lines:
        log.add(request(HTTPStatus.BAD_REQUEST))
        log.add(request(HTTPStatus.BAD_REQUEST, Caller("org-789", "cf_01234567")))

    assert [(line["status"], line["address"]) for line in lines] == [(400, "192.0.2.1")]


def test_of_successful_requests_the_share_of_the_setting_is_logged() -> None:
    draws = iter([0.0, 0.24, 0.25, 0.99])
    log = AccessLog(rate=0.25, draw=lambda: next(draws))

    with capture_logs() as lines:
        for status in (200, 304, 404, 200):
            log.add(request(status))

    assert statuses(lines) == [200, 304]


async def test_a_flood_of_rejected_keys_is_counted_and_hides_no_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(access_log, "REPORT_SECONDS", 0.0)
    log = AccessLog(rate=0, timer=lambda: 7.0)

    with capture_logs() as lines:
        for _ in range(1_000):
            log.add(request(401))
        log.add(request(500))
        await asyncio.sleep(0.01)

    assert statuses(lines) == [401] * 10 + [500]
    assert [line for line in lines if line["event"] == "requests_not_logged"] == [
        {"event": "requests_not_logged", "kind": "rejected key", "requests": 990, "log_level": "warning"}
    ]


async def test_after_a_second_lines_are_logged_again() -> None:
    now = 7.0
    log = AccessLog(rate=0, timer=lambda: now)

    with capture_logs() as lines:
        for _ in range(20):
            log.add(request(503))
        now += 1
        log.add(request(503))

    assert statuses(lines) == [503] * 11
