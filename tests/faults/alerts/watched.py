"""A monitor and a Prometheus next to a run, and which alerts fired meanwhile."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from deploy.local.ports import HOST, free_port
from deploy.local.servers.prometheus import PrometheusServer
from tests.faults.alerts.explained import Alert
from tests.faults.alerts.history import QUERY, alerts_of
from tests.support.monitor import MonitorServer

_STEP_SECONDS = 5
"""As often as Prometheus evaluates the rules."""
_LOOK_SECONDS = 0.5
_TIMEOUT = 10.0
_SCRAPED = "callfold_partition_verdict == 1"

Targets = Callable[[], Mapping[str, Iterable[int]]]
"""Returns the ports of each service that runs now."""


@dataclass(slots=True)
class Watched:
    """The alerts that fired; known in the end."""

    fired: list[Alert] = field(default_factory=list)


@asynccontextmanager
async def watched(folder: Path, settings: Mapping[str, str], targets: Targets) -> AsyncIterator[Watched]:
    """Run both inside, and scrape the services as they come and go."""
    found, began = Watched(), time.time()
    with ExitStack() as running:
        monitor = running.enter_context(MonitorServer(folder / "monitor", settings))
        prometheus = PrometheusServer(folder / "prometheus", free_port(), {"monitor": monitor.port})
        await asyncio.to_thread(running.enter_context, prometheus)
        following = asyncio.create_task(_follow(prometheus.folder / "targets.yml", targets, monitor.port))
        try:
            yield found
        finally:
            following.cancel()
        found.fired = [*await _fired(prometheus, began)]


async def _follow(file: Path, targets: Targets, monitor: int) -> None:
    """Write the services that run into the file that Prometheus watches, until cancelled."""
    written = ""
    while True:
        ports = {**targets(), "monitor": [monitor]}
        text = json.dumps([_group(service, sorted(numbers)) for service, numbers in sorted(ports.items())])
        if text != written:
            partial = file.with_suffix(".partial")
            partial.write_text(text)
            partial.rename(file)
            written = text
        await asyncio.sleep(_LOOK_SECONDS)


def _group(service: str, ports: Iterable[int]) -> dict[str, Any]:
    labels = {"job": f"callfold-{service}", "service": service}
    return {"targets": [f"{HOST}:{port}" for port in ports], "labels": labels}


async def _fired(prometheus: PrometheusServer, began: float) -> Iterable[Alert]:
    # No alert proves nothing where nothing was evaluated.
    assert await _range(prometheus, _SCRAPED, began), "Prometheus has nothing of the monitor"
    return alerts_of(await _range(prometheus, QUERY, began), _STEP_SECONDS)


async def _range(prometheus: PrometheusServer, query: str, began: float) -> Any:
    asked: dict[str, str | float] = {"query": query, "start": began, "end": time.time(), "step": _STEP_SECONDS}
    async with httpx.AsyncClient(timeout=_TIMEOUT, trust_env=False) as client:
        answer = await client.get(f"http://{prometheus.address}/api/v1/query_range", params=asked)
    return answer.json()["data"]["result"]
