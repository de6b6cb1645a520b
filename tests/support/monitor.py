"""The monitor as a process of its own, as it runs in production."""

import os
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, ClassVar

import httpx
from prometheus_client.parser import text_string_to_metric_families

from deploy.local.local_client import local_client
from deploy.local.ports import free_port
from deploy.local.servers.process import Server


class MonitorServer(Server):
    """Runs `python -m services.monitor`; `settings` are its variables without their prefix."""

    name: ClassVar[str] = "monitor"

    def __init__(self, folder: Path, settings: Mapping[str, str]) -> None:
        super().__init__(folder, free_port())
        self._settings = settings

    def prepare(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)

    def command(self) -> list[str]:
        return [sys.executable, "-m", "services.monitor"]

    def environment(self) -> dict[str, str]:
        settings = {**self._settings, "MONITOR_PORT": str(self.port)}
        return {**os.environ, **{f"CALLFOLD_{name}": value for name, value in settings.items()}}

    def lacks(self) -> str | None:
        """Return None once it answers: what it can read is no matter of its start."""
        with suppress(httpx.HTTPError):
            return None if self._get("/healthz").is_success else "it stands still"
        return f"nothing answers on {self.address}"

    def lag(self) -> dict[str, Any]:
        """Return what /lag says."""
        answer: dict[str, Any] = self._get("/lag").raise_for_status().json()
        return answer

    def metric(self, name: str) -> float:
        """Return the sum of a metric over its labels."""
        families = text_string_to_metric_families(self._get("/metrics").text)
        return sum(sample.value for family in families for sample in family.samples if sample.name == name)

    def _get(self, path: str) -> httpx.Response:
        return local_client().get(f"http://{self.address}{path}")
