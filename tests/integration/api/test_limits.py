"""`python -m services.api`: keys and their limits, the access log, and how old an answer is, over real connections."""

import json
import socket
from collections.abc import Sequence
from typing import Any

import httpx
import pytest

from deploy.local.ports import HOST, free_port
from shared.config.mongo_access import MongoAccess
from shared.store.api_keys import new_key
from shared.store.mongo.api_keys import MongoApiKeys
from shared.store.mongo.calls import MongoStore
from shared.store.mongo.client import Connection
from tests.support.api.client import PEPPER, put
from tests.support.api.program import START_SECONDS, running
from tests.support.events.seed_call import seed_call
from tests.support.eventually import eventually_blocking, scaled

CALL = "/api/calls/call-456"
WRONG = {"X-API-KEY": "cf_none", "X-API-SECRET": "wrong"}

Settings = dict[str, str | None]


@pytest.fixture
def settings(mongo_uri: str, database: str) -> Settings:
    return {"MONGO_URI": mongo_uri, "MONGO_DATABASE": database}


@pytest.fixture
async def headers(mongo_uri: str, database: str) -> dict[str, str]:
    """Store a call and a key of its organization."""
    connection = Connection(MongoAccess(mongo_uri), database)
    key, secret = new_key("org-789", PEPPER.encode())
    await MongoApiKeys(connection).add(key)
    await put(MongoStore(connection), seed_call())
    await MongoStore(connection).put_watermarks(dict.fromkeys(range(12), 1_790_000_000_123), 12)
    await connection.close()
    return {"X-API-KEY": key.api_key, "X-API-SECRET": secret, "Accept-Encoding": "identity"}


def statuses(port: int, forwarded: Sequence[str]) -> list[int]:
    """Ask once for each value of `X-Forwarded-For`, with a wrong key."""
    url = f"http://{HOST}:{port}{CALL}"
    with httpx.Client(trust_env=False, timeout=scaled(10)) as client:
        return [client.get(url, headers={**WRONG, "X-Forwarded-For": each}).status_code for each in forwarded]


def status_of(port: int, lines: Sequence[str]) -> int:
    """Send a request as it is, and return the status: httpx would strip the values of its headers."""
    with socket.create_connection((HOST, port), timeout=scaled(10)) as connection:
        head = "\r\n".join([f"GET {CALL} HTTP/1.1", "Host: api", "Connection: close", *lines, "", ""])
        connection.sendall(head.encode())
        return int(connection.makefile("rb").readline().split()[1])


def logged(written: str) -> list[dict[str, Any]]:
    return [line for line in map(json.loads, written.splitlines()) if line["event"] == "request"]


def test_behind_a_trusted_proxy_the_limit_is_each_clients_own(settings: Settings) -> None:
    port = free_port()
    limits = {"API_TRUSTED_PROXIES": f"{HOST},10.0.0.0/8", "API_REJECTED_KEYS_PER_MINUTE": "1"}
    with running(port, **settings, **limits) as process:
        found = statuses(
            port,
            [
                "192.0.2.1",
                "192.0.2.1",
                "192.0.2.2, 10.1.1.1",  # the client, and another trusted proxy
                "198.51.100.7, 192.0.2.1",  # what the client claims before what the proxy saw
                "2001:db8::1",
                "2001:db8::2",  # the same network
            ],
        )
        process.terminate()
        _, written = process.communicate(timeout=START_SECONDS)

    assert found == [401, 429, 401, 429, 401, 429]
    assert [line["address"] for line in logged(written)][:3] == ["192.0.2.1", "192.0.2.1", "192.0.2.2"]


def test_without_a_trusted_proxy_no_header_changes_the_address(settings: Settings) -> None:
    port = free_port()
    with running(port, **settings, API_REJECTED_KEYS_PER_MINUTE="1") as process:
        found = statuses(port, ["192.0.2.1", "192.0.2.2"])
        process.terminate()
        _, written = process.communicate(timeout=START_SECONDS)

    assert found == [401, 429]
    assert [line["address"] for line in logged(written)] == [HOST, HOST]


def test_a_key_may_have_blanks_around_it_and_there_may_be_one_only(settings: Settings, headers: dict[str, str]) -> None:
    key, secret = f"X-API-KEY:   {headers['X-API-KEY']} \t", f"X-API-SECRET: {headers['X-API-SECRET']}  "
    port = free_port()
    with running(port, **settings):
        blanks = status_of(port, [key, secret])
        same = status_of(port, [key, secret, key.strip()])
        two_keys = status_of(port, [key, secret, "X-API-KEY: cf_another"])
        two_secrets = status_of(port, [key, secret, "x-api-secret: another"])

    assert (blanks, same, two_keys, two_secrets) == (200, 200, 400, 400)


def test_a_request_is_found_in_the_log_by_its_id_and_its_answer_says_how_old_it_is(
    settings: Settings, headers: dict[str, str]
) -> None:
    port = free_port()
    with running(port, **settings, API_ACCESS_LOG="1") as process, httpx.Client(trust_env=False) as client:
        url = f"http://{HOST}:{port}"
        eventually_blocking(lambda: "X-Callfold-As-Of" in client.get(url + CALL, headers=headers).headers)
        found = client.get(url + CALL, headers={**headers, "X-Request-ID": "request-1"})
        missing = client.get(f"{url}/api/calls/none", headers=headers)
        process.terminate()
        _, written = process.communicate(timeout=START_SECONDS)

    (line,) = (line for line in logged(written) if line["request_id"] == "request-1")
    assert (line["status"], line["route"], line["bytes"]) == (200, "/api/calls/{callId}", len(found.content))
    assert (line["organization"], line["key"]) == ("org-789", headers["X-API-KEY"][:11])
    assert "call-456" not in written
    assert headers["X-API-KEY"] not in written
    assert {answer.headers["X-Callfold-As-Of"] for answer in (found, missing)} == {"2026-09-21T14:13:20.123Z"}
