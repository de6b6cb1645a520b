"""The monitor as a process of its own, as it runs in production."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any, Self

import httpx

from deploy.local.ports import HOST, free_port
from shared.contract.topics import Topics
from tests.support.eventually import eventually_blocking, scaled

_READY_WITHIN = 60.0
_STOPS_WITHIN = scaled(30.0)
_ANSWERS_WITHIN = scaled(5.0)


class MonitorProcess:
    """Runs `python -m services.monitor` for the group whose name is the topics' prefix; `settings` by their names."""

    def __init__(
        self, kafka: str, mongo_uri: str, topics: Topics, database: str, folder: Path, **settings: object
    ) -> None:
        self.port = free_port()
        self.log = folder / f"monitor-{self.port}.log"
        chosen = {
            "kafka_bootstrap": kafka,
            "mongo_uri": mongo_uri,
            "mongo_database": database,
            "topic_prefix": topics.prefix,
            "group": topics.prefix,
            "monitor_port": self.port,
            **settings,
        }
        self._environment = {**os.environ, **{f"CALLFOLD_{name.upper()}": str(value) for name, value in chosen.items()}}
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> Self:
        """Start the process; it may not be ready yet."""
        command = [sys.executable, "-m", "services.monitor"]
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(command, env=self._environment, stdout=log, stderr=subprocess.STDOUT)
        return self

    def ready(self) -> bool:
        try:
            return self._get("/readyz").status_code == httpx.codes.OK
        except httpx.HTTPError:
            return False

    def lag(self) -> dict[str, Any]:
        """Return what /lag says."""
        answer: dict[str, Any] = self._get("/lag").raise_for_status().json()
        return answer

    def metric(self, name: str) -> float:
        """Return the sum of a metric over its labels."""
        lines = [line.rsplit(" ", 1) for line in self._get("/metrics").text.splitlines()]
        return sum(float(line[1]) for line in lines if line[0].split("{")[0] == name)

    @property
    def pid(self) -> int:
        assert self._process is not None, "start() first"
        return self._process.pid

    def __enter__(self) -> Self:
        self.start()
        eventually_blocking(self.ready, _READY_WITHIN)
        return self

    def __exit__(self, *_: object) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()
            self._process.wait(_STOPS_WITHIN)

    def _get(self, path: str) -> httpx.Response:
        return httpx.get(f"http://{HOST}:{self.port}{path}", timeout=_ANSWERS_WITHIN, trust_env=False)
