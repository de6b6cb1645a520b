"""`python -m services.monitor` as a process, without any server that it could watch."""

import signal
from typing import Any

import httpx
import orjson

from deploy.local.local_client import local_client
from deploy.local.ports import HOST, free_port
from tests.support.eventually import eventually_blocking
from tests.support.service import ENDS_WITHIN, running, without_servers


def test_without_kafka_and_mongodb_it_serves_what_it_does_not_know_until_a_signal_stops_it() -> None:
    port = free_port()
    with running("monitor", **without_servers(), MONITOR_PORT=str(port)) as process:
        lag: Any = eventually_blocking(lambda: lag_with_dependencies(port))
        answers = {path: get(port, path) for path in ("/healthz", "/readyz", "/metrics")}

        process.send_signal(signal.SIGTERM)
        _, written = process.communicate(timeout=ENDS_WITHIN)

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
        return local_client().get(f"http://{HOST}:{port}{path}")
    except httpx.TransportError:
        return None


def lag_with_dependencies(port: int) -> Any:
    answer = get(port, "/lag")
    lag = answer.json() if answer and answer.status_code == httpx.codes.OK else {}
    return lag if lag.get("kafka") == lag.get("mongodb") == "unavailable" else None
