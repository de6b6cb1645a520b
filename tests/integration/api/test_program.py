"""`python -m services.api` as a process."""

import json
import signal
import socket

import httpx
import pytest

from deploy.local.ports import HOST, free_port
from tests.support.api.program import START_SECONDS, run, running


@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGINT])
def test_it_serves_until_a_signal_stops_it(sent: signal.Signals, mongo_uri: str, database: str) -> None:
    port = free_port()
    with running(port, MONGO_URI=mongo_uri, MONGO_DATABASE=database) as process:
        ready = httpx.get(f"http://{HOST}:{port}/readyz", trust_env=False)
        rejected = httpx.get(
            f"http://{HOST}:{port}/api/calls/call-456", headers={"X-API-KEY": "a", "X-API-SECRET": "b"}
        )

        process.send_signal(sent)
        _, written = process.communicate(timeout=START_SECONDS)

    assert (ready.status_code, rejected.status_code) == (200, 401)
    assert process.returncode == 0
    assert [json.loads(line)["event"] for line in written.splitlines()] == ["started", "request", "stopped"]


def test_without_mongodb_it_starts_and_is_not_ready() -> None:
    port = free_port()
    with running(port, MONGO_URI=f"mongodb://{HOST}:{free_port()}/") as process:
        ready = httpx.get(f"http://{HOST}:{port}/readyz", trust_env=False)

        process.terminate()
        _, written = process.communicate(timeout=START_SECONDS)

    assert ready.status_code == 503
    assert process.returncode == 0
    assert [json.loads(line)["event"] for line in written.splitlines()] == [
        "started",
        "dependency_unavailable",
        "request",
        "stopped",
    ]


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"API_SECRET_PEPPER": None}, "CALLFOLD_API_SECRET_PEPPER is not set"),
        ({"API_SECRET_PEPPER": "hunter2"}, "CALLFOLD_API_SECRET_PEPPER is wrong"),
        ({"API_PORT": "0"}, "CALLFOLD_API_PORT is '0'"),
        ({"API_TRUSTED_PROXIES": "*"}, "CALLFOLD_API_TRUSTED_PROXIES is '*': must be addresses and networks"),
        ({"API_TRUSTED_PROXIES": "10.0.0.1/8"}, "CALLFOLD_API_TRUSTED_PROXIES is '10.0.0.1/8'"),
        ({"MONGO_URI": "mongodb://me:hunter2/x@host"}, "CALLFOLD_MONGO_URI is wrong"),
        ({"MONGO_URI": "http://hunter2"}, "CALLFOLD_MONGO_URI is wrong"),
        ({"PRICE_BOOK": "/nowhere/book.toml"}, "CALLFOLD_PRICE_BOOK, /nowhere/book.toml"),
    ],
)
def test_a_wrong_setting_is_one_line_without_secrets(changes: dict[str, str | None], line: str) -> None:
    ended = run(**{"API_PORT": str(free_port()), **changes})

    assert ended.returncode == 2
    assert ended.stderr.startswith(line)
    assert ended.stderr.count("\n") == 1
    assert "hunter2" not in ended.stderr


def test_help_names_every_variable() -> None:
    ended = run("--help", API_SECRET_PEPPER=None)

    assert ended.returncode == 0
    for name in ("API_SECRET_PEPPER", "API_HOST", "API_PORT", "MONGO_URI", "API_TIMEOUT_MS"):
        assert f"CALLFOLD_{name} " in ended.stdout


def test_metrics_and_readiness_can_have_a_port_of_their_own(mongo_uri: str, database: str) -> None:
    port, other = free_port(), free_port()
    paths = ("/healthz", "/readyz", "/metrics", "/docs")
    settings = {"API_METRICS_PORT": str(other)}
    with running(port, MONGO_URI=mongo_uri, MONGO_DATABASE=database, **settings) as process:
        answers = {
            number: [httpx.get(f"http://{HOST}:{number}{path}", trust_env=False).status_code for path in paths]
            for number in (port, other)
        }
        listed = httpx.get(f"http://{HOST}:{port}/openapi.json", trust_env=False).json()["paths"]

        process.terminate()
        _, written = process.communicate(timeout=START_SECONDS)

    assert answers == {port: [200, 404, 404, 200], other: [200, 200, 200, 404]}
    assert "/readyz" not in listed
    assert process.returncode == 0
    assert [json.loads(line)["event"] for line in written.splitlines()] == ["started", "stopped"]


def test_a_port_of_metrics_in_use_is_one_line() -> None:
    with socket.create_server((HOST, 0)) as taken:
        port = str(taken.getsockname()[1])

        ended = run(API_PORT=str(free_port()), API_METRICS_PORT=port)

    assert ended.returncode == 1
    assert ended.stderr.startswith(
        f"cannot listen on {HOST}:{port} (CALLFOLD_API_METRICS_HOST, CALLFOLD_API_METRICS_PORT): "
    )
    assert ended.stderr.count("\n") == 1
