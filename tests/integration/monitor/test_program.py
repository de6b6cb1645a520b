"""`python -m services.monitor` as a process, without any server that it could watch."""

import os
import signal
import socket
import subprocess
import sys
from typing import Any

import httpx
import orjson

from deploy.local.ports import HOST, free_port
from tests.support.eventually import eventually_blocking, scaled

PROGRAM = [sys.executable, "-m", "services.monitor"]


def environment(port: int) -> dict[str, str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("CALLFOLD_")}
    return clean | {
        "CALLFOLD_MONITOR_PORT": str(port),
        "CALLFOLD_KAFKA_BOOTSTRAP": f"{HOST}:{free_port()}",
        "CALLFOLD_MONGO_URI": f"mongodb://{HOST}:{free_port()}/?replicaSet=rs",
        "CALLFOLD_SECRETS_DIR": "/nowhere",
    }


def test_without_kafka_and_mongodb_it_serves_what_it_does_not_know_until_a_signal_stops_it() -> None:
    port = free_port()
    with subprocess.Popen(PROGRAM, env=environment(port), stderr=subprocess.PIPE, text=True) as process:
        try:
            lag: Any = eventually_blocking(lambda: lag_with_dependencies(port))
            answers = {path: get(port, path) for path in ("/healthz", "/readyz", "/metrics")}

            process.send_signal(signal.SIGTERM)
            _, written = process.communicate(timeout=scaled(60))
        finally:
            process.kill()

    assert (lag["verdict"], lag["cause"], lag["total"]) == (
        "unknown",
        "kafka_unavailable",
        {"lag": None, "lag_seconds": None, "drain_seconds": None},
    )
    assert {path: answer and answer.status_code for path, answer in answers.items()} == dict.fromkeys(answers, 200)
    metrics = answers["/metrics"]
    assert metrics is not None
    for dependency in ("kafka", "mongodb"):
        assert f'callfold_dependency_unavailable{{dependency="{dependency}"}} 1.0' in metrics.text
    assert process.returncode == 0
    events = [orjson.loads(line)["event"] for line in written.splitlines()]
    assert (events[0], events[-1]) == ("started", "stopped")
    assert "reading_failed" not in events


def get(port: int, path: str) -> httpx.Response | None:
    try:
        return httpx.get(f"http://{HOST}:{port}{path}", trust_env=False)
    except httpx.TransportError:
        return None


def lag_with_dependencies(port: int) -> Any:
    answer = get(port, "/lag")
    lag = answer.json() if answer and answer.status_code == httpx.codes.OK else {}
    return lag if lag.get("kafka") == lag.get("mongodb") == "unavailable" else None


def test_a_port_in_use_is_one_line() -> None:
    with socket.create_server((HOST, 0)) as taken:
        port = taken.getsockname()[1]

        ended = subprocess.run(
            PROGRAM, env=environment(port), capture_output=True, text=True, timeout=scaled(60), check=False
        )

    assert (ended.returncode, ended.stderr) == (
        1,
        f"cannot listen on {HOST}:{port} (CALLFOLD_MONITOR_HOST, CALLFOLD_MONITOR_PORT): Address already in use\n",
    )
