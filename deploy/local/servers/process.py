"""A server as a child of this process, without a supervisor: for tests that kill and restart it."""

import os
import subprocess
from abc import ABC, abstractmethod
from pathlib import Path
from typing import ClassVar, Self

from deploy.local.errors import LocalError
from deploy.local.ports import HOST
from deploy.local.servers.waiting import wait_until_ready

STOP_WITHIN = 40.0


class Server(ABC):
    """One server with its data in `folder`, listening on `port` of 127.0.0.1.

    Call `prepare()` once, then `start()`, `kill()` and `stop()` any number of times: data and port stay the same.
    """

    name: ClassVar[str]
    ready_within: ClassVar[float] = 120.0

    def __init__(self, folder: Path, port: int) -> None:
        self.folder = folder.resolve()
        self.port = port
        self._child: subprocess.Popen[bytes] | None = None

    @abstractmethod
    def prepare(self) -> None:
        """Prepare the folder for a start; existing data stay.

        Raises:
            LocalError: a dependency of the server is missing.
        """

    @abstractmethod
    def command(self) -> list[str]:
        """Return the command that runs the server in the foreground; its working folder is `folder`."""

    @abstractmethod
    def lacks(self) -> str | None:
        """Return why the server is not ready, None once it is."""

    def environment(self) -> dict[str, str]:
        """Return the whole environment of the server's process."""
        return dict(os.environ)

    @property
    def address(self) -> str:
        """`host:port`."""
        return f"{HOST}:{self.port}"

    @property
    def log(self) -> Path:
        """The file of the server's output."""
        return self.folder / f"{self.name}.log"

    @property
    def pid(self) -> int:
        return self._running().pid

    def start(self) -> None:
        """Run the server as a child in its own session, so that Ctrl-C does not reach it."""
        if self._child is not None and self._child.poll() is None:
            raise LocalError(f"{self.name} already runs as process {self._child.pid}")
        with self.log.open("ab") as log:
            self._child = subprocess.Popen(  # noqa: S603 - our own command
                self.command(),
                cwd=self.folder,
                env=self.environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def wait_until_ready(self) -> float:
        """Return the seconds that it took until the server was ready.

        Raises:
            NotReadyError: it ended, or was not ready after `ready_within` seconds.
        """
        return wait_until_ready(self.name, self.log, lacks=self.lacks, ended=self.ended, timeout=self.ready_within)

    def kill(self) -> None:
        """End the server at once, like a crash (SIGKILL)."""
        child = self._running()
        child.kill()
        child.wait()

    def stop(self, timeout: float = STOP_WITHIN) -> None:
        """Stop the server (SIGTERM), by SIGKILL after `timeout` seconds. Do nothing if it does not run."""
        child = self._child
        if child is None or child.poll() is not None:
            return
        child.terminate()
        try:
            child.wait(timeout)
        except subprocess.TimeoutExpired:
            self.kill()

    def ended(self) -> str | None:
        """Return how the child ended, None if it runs or was never started."""
        status = None if self._child is None else self._child.poll()
        return None if status is None else f"ended with exit status {status}."

    def __enter__(self) -> Self:
        self.prepare()
        self.start()
        try:
            self.wait_until_ready()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _running(self) -> subprocess.Popen[bytes]:
        if self._child is None:
            raise LocalError(f"{self.name} was not started")
        return self._child
