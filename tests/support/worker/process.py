"""A worker as a process of its own, as it runs in production, for tests that start, stop and kill it."""

import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Self

import httpx

from deploy.local.local_client import local_client
from deploy.local.ports import HOST, free_port
from shared.contract.topics import Topics
from tests.support.eventually import eventually_blocking, scaled

PROGRAM = "CALLFOLD_TEST_WORKER"
"""The variable that names the module that runs in place of `services.worker`: a mutant, which the tests must find."""
CONTENT_KEY = "a key for the hashes of tests only"
_READY_WITHIN = 120.0
_STOPS_WITHIN = scaled(60.0)
_ANSWERS_WITHIN = scaled(5.0)


class WorkerProcess:
    """Runs `python -m services.worker` with short times; `settings` override them, by their names.

    One that is None is not set: the worker's own default.
    """

    def __init__(
        self, kafka: str, mongo_uri: str, topics: Topics, database: str, fold_loop: Path, **settings: object
    ) -> None:
        self.port = free_port()
        self.log = fold_loop / f"worker-{self.port}.log"
        chosen = {
            "kafka_bootstrap": kafka,
            "mongo_uri": mongo_uri,
            "mongo_database": database,
            "mongo_timeout_ms": 5_000,
            "topic_prefix": topics.prefix,
            "group": topics.prefix,
            "log_id_hmac_key": CONTENT_KEY,
            "metrics_port": self.port,
            "partitions": 3,
            "batch_events": 20_000,
            "session_seconds": 6,
            "commit_seconds": 0.5,
            "lease_seconds": 3,
            "poll_seconds": 1,
            **settings,
        }
        given = {name: str(value) for name, value in chosen.items() if value is not None}
        self.batch_events = int(given.get("batch_events", 0))
        self._environment = {**os.environ, **{f"CALLFOLD_{name.upper()}": value for name, value in given.items()}}
        self._module = os.environ.get(PROGRAM, "services.worker")
        self._python = sys.executable
        self._process: subprocess.Popen[bytes] | None = None

    def running(self, module: str, python: str = sys.executable, **variables: str) -> Self:
        """Run another program that is a worker, with these variables and the settings."""
        self._module, self._python = module, python
        self._environment |= variables
        return self

    def start(self) -> Self:
        """Start the process; it may not be ready yet."""
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [self._python, "-m", self._module], env=self._environment, stdout=log, stderr=subprocess.STDOUT
            )
        return self

    def wait_until_ready(self) -> Self:
        """Return when the worker was ready once: it is not while the group rebalances, as when another one joins."""
        state = None
        with suppress(AssertionError):
            state = eventually_blocking(
                lambda: "ready" if self.ready() else "ended" if self.ended() else None, _READY_WITHIN
            )
        assert state == "ready", f"the worker is not ready:\n{self.log.read_text()[-3000:]}"
        return self

    def written(self) -> str:
        """Return what the process has logged."""
        return self.log.read_text()

    def ready(self) -> bool:
        return self.answers() == httpx.codes.OK

    def answers(self) -> int | None:
        """Return the status of /readyz, None where nothing listens yet."""
        try:
            return local_client().get(f"http://{HOST}:{self.port}/readyz", timeout=_ANSWERS_WITHIN).status_code
        except httpx.HTTPError:
            return None

    def missing(self) -> str | None:
        """Return what /readyz names as missing, None where it is ready or nothing listens yet."""
        try:
            answer = local_client().get(f"http://{HOST}:{self.port}/readyz", timeout=_ANSWERS_WITHIN).json()
        except httpx.HTTPError:
            return None
        missing: str | None = answer.get("missing")
        return missing

    def metric(self, name: str) -> float:
        """Return the sum of a metric over its labels, or of one line `name{label="value"}`."""
        text = local_client().get(f"http://{HOST}:{self.port}/metrics", timeout=6 * _ANSWERS_WITHIN).text
        lines = [line.rsplit(" ", 1) for line in text.splitlines() if line.startswith((f"{name} ", f"{name}{{"))]
        if "{" in name:
            lines = [line.rsplit(" ", 1) for line in text.splitlines() if line.startswith(name)]
        return sum(float(value) for _, value in lines)

    def events(self, outcome: str = "written") -> float:
        """Return how many events had this outcome."""
        text = local_client().get(f"http://{HOST}:{self.port}/metrics", timeout=6 * _ANSWERS_WITHIN).text
        lines = [line for line in text.splitlines() if line.startswith("callfold_events_total{")]
        return sum(float(line.rsplit(" ", 1)[1]) for line in lines if f'outcome="{outcome}"' in line)

    def lines(self, name: str) -> int:
        """Return how many lines a metric has: one of each combination of its labels."""
        text = local_client().get(f"http://{HOST}:{self.port}/metrics", timeout=6 * _ANSWERS_WITHIN).text
        return sum(line.startswith(f"{name}{{") for line in text.splitlines())

    @property
    def pid(self) -> int:
        return self._running().pid

    def signal(self, number: signal.Signals) -> None:
        self._running().send_signal(number)

    def kill(self) -> None:
        """Kill it, like a crash."""
        self._running().kill()
        self._running().wait()

    def stop(self) -> int:
        """Stop it cleanly; return its exit status."""
        process = self._running()
        if process.poll() is None:
            process.terminate()
        return process.wait(_STOPS_WITHIN)

    def wait(self) -> int:
        """Return the exit status of a process that ends by itself."""
        return self._running().wait(_STOPS_WITHIN)

    def ended(self) -> bool:
        return self._running().poll() is not None

    def __enter__(self) -> Self:
        return self.start().wait_until_ready()

    def __exit__(self, *_: object) -> None:
        if self._process is not None and self._process.poll() is None:
            self.kill()

    def _running(self) -> subprocess.Popen[bytes]:
        assert self._process is not None, "start() first"
        return self._process
