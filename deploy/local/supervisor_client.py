"""Calls of supervisord: XML-RPC over its unix socket."""

import socket
import xmlrpc.client
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from supervisor.xmlrpc import SupervisorTransport

from deploy.local.errors import LocalError

TIMEOUT = 10.0
"""Seconds for an answer; none of the calls below waits for a service."""

ALREADY_STARTED = 60
NOT_RUNNING = 70
"""Fault codes of supervisord that mean: there is nothing to do."""


@dataclass(frozen=True, slots=True)
class Report:
    """supervisord's report of a service: its state as supervisord names it, process id or 0, uptime in seconds."""

    state: str
    pid: int
    uptime: int

    @property
    def ended(self) -> str | None:
        """How the service ended, None if it runs or was not started."""
        if self.state in {"BACKOFF", "EXITED", "FATAL"}:
            return "ended while it was starting."
        return None


class SupervisorClient:
    """The calls of supervisord that the stack needs."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def start(self, name: str) -> None:
        """Start a service, unless it runs; return before it is ready."""
        self._call("startProcess", name, False, unless=ALREADY_STARTED)

    def stop(self, name: str) -> None:
        """Stop a service if it runs; return when it has ended."""
        self._call("stopProcess", name, False, unless=NOT_RUNNING)

    def report(self, name: str) -> Report:
        info = self._call("getProcessInfo", name)
        return Report(info["statename"], info["pid"], max(0, info["now"] - info["start"]) if info["pid"] else 0)

    def _call(self, method: str, *arguments: str | bool, unless: int | None = None) -> Any:
        transport = SupervisorTransport(serverurl=f"unix://{self._path}")
        try:
            with _timeout(), xmlrpc.client.ServerProxy("http://127.0.0.1", transport=transport) as server:
                return getattr(server.supervisor, method)(*arguments)
        except xmlrpc.client.Fault as fault:
            if fault.faultCode == unless:
                return None
            raise LocalError(f"supervisord refused {method}{arguments}: {fault.faultString}") from fault
        except OSError as error:
            raise LocalError(f"supervisord does not answer ({error}): run `make down`, then `make up`.") from error


@contextmanager
def _timeout() -> Iterator[None]:
    """Limit the time of calls: SupervisorTransport sets no limit of its own, and supervisord may be stopped."""
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(TIMEOUT)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)
