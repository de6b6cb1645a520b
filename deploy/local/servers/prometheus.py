"""Prometheus, if it is installed: scrapes the stack and evaluates the alerts. Nothing of the stack depends on it."""

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar

import httpx

from deploy.local.errors import LocalError
from deploy.local.local_client import local_client
from deploy.local.ports import HOST
from deploy.local.servers.process import Server

CONFIGURATION = Path(__file__).parents[2] / "prometheus"

TIMEOUT = 5.0

RETENTION = "30d"
"""The objectives look at 28 days."""

HOW_TO_GET = "Prometheus is not installed, so nothing evaluates the alerts: sudo apt install prometheus"


def is_installed() -> bool:
    return shutil.which("prometheus") is not None


class PrometheusServer(Server):
    """Prometheus with the rules of deploy/prometheus; `targets` has the port of each `service` on this machine."""

    name: ClassVar[str] = "prometheus"
    ready_within: ClassVar[float] = 60.0

    def __init__(self, folder: Path, port: int, targets: Mapping[str, int]) -> None:
        super().__init__(folder, port)
        self._targets = targets

    def prepare(self) -> None:
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        shutil.copy(CONFIGURATION / "prometheus.yml", self.folder)
        rules = self.folder / "rules"
        rules.unlink(missing_ok=True)
        rules.symlink_to(CONFIGURATION / "rules")
        (self.folder / "targets.yml").write_text(json.dumps(self._groups()))  # every JSON is YAML

    def command(self) -> list[str]:
        program = shutil.which("prometheus")
        if program is None:
            raise LocalError(HOW_TO_GET)
        return [
            program,
            f"--config.file={self.folder / 'prometheus.yml'}",
            f"--storage.tsdb.path={self.folder / 'data'}",
            f"--storage.tsdb.retention.time={RETENTION}",
            f"--web.listen-address={self.address}",
            "--log.level=warn",
        ]

    def lacks(self) -> str | None:
        url = f"http://{self.address}/-/ready"
        try:
            answer = local_client().get(url, timeout=TIMEOUT)
        except httpx.HTTPError as error:
            return f"{url}: {type(error).__name__}: {error}"
        return None if answer.status_code == httpx.codes.OK else f"{url} returns {answer.status_code}"

    def _groups(self) -> list[dict[str, object]]:
        return [
            {"targets": [f"{HOST}:{port}"], "labels": {"job": f"callfold-{service}", "service": service}}
            for service, port in self._targets.items()
        ]
