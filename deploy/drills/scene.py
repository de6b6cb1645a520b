"""The scene of drills: a stack of its own, MongoDB behind a proxy, under a steady load."""

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from deploy.drills.load.orders import Orders
from deploy.local.ports import HOST, Ports, free_port
from deploy.local.servers.proxy import Path as Way
from deploy.local.servers.proxy import Proxy
from deploy.local.stack import Progress, Stack
from deploy.local.supervisor_client import SupervisorClient

_STOP_SECONDS = 5.0

SETTINGS = {
    # As in production. The ten seconds of the local stack are for a developer, who waits for a restart.
    "CALLFOLD_SESSION_SECONDS": "30",
    # Few enough for a screen.
    "CALLFOLD_PARTITIONS": "6",
    # With MongoDB far away a worker of limited speed: one machine cannot publish more than a near one takes.
    "CALLFOLD_BATCH_EVENTS": "500",
}

FAR_SECONDS = 0.03
"""For which each piece of the traffic to MongoDB is held back in healthy hours."""


class Load:
    """The process that publishes; what it is asked for lasts until the end of the context."""

    def __init__(self, orders_to: IO[bytes]) -> None:
        self._orders_to = orders_to

    @contextmanager
    def publishing(self, orders: Orders) -> Iterator[None]:
        """Publish by these orders inside, and as before afterwards."""
        self._send(orders)
        try:
            yield
        finally:
            self._send(Orders())

    def _send(self, orders: Orders) -> None:
        self._orders_to.write(orders.line())
        self._orders_to.flush()


@dataclass(frozen=True, slots=True)
class Scene:
    """Everything that a fault may touch."""

    stack: Stack
    load: Load
    to_mongodb: Way
    """The way of all services to MongoDB."""

    @contextmanager
    def delayed(self, seconds: float) -> Iterator[None]:
        """Hold back the traffic to MongoDB for so long inside, instead of as in healthy hours."""
        self.to_mongodb.delay = seconds
        try:
            yield
        finally:
            self.to_mongodb.delay = FAR_SECONDS

    @property
    def services(self) -> SupervisorClient:
        return self.stack.supervision.client

    def pid(self, service: str) -> int:
        """Return the process of a service."""
        return self.services.report(service).pid


@contextmanager
def scene(progress: Progress) -> Iterator[Scene]:
    """Start everything on free ports, with its files in a temporary folder; stop and remove it in the end.

    Raises:
        LocalError: a dependency is missing, or a service did not become ready.
    """
    ports = Ports.free()
    with (
        tempfile.TemporaryDirectory(prefix="callfold-drill-", ignore_cleanup_errors=True) as folder,
        Proxy(free_port(), ports.mongo) as proxy,
        # Direct: a client that asks for the replica set goes to the address that it names, past the proxy.
        Stack(Path(folder), ports, prometheus=True, variables=SETTINGS | {"CALLFOLD_MONGO_URI": _uri(proxy)}) as stack,
    ):
        stack.start(progress)
        with _load(stack) as load:
            on = Scene(stack, load, proxy.path())
            on.to_mongodb.delay = FAR_SECONDS
            yield on


def _uri(proxy: Proxy) -> str:
    return f"mongodb://{HOST}:{proxy.port}/?directConnection=true"


@contextmanager
def _load(stack: Stack) -> Iterator[Load]:
    command = [sys.executable, "-m", "deploy.drills.load", stack.environment()["CALLFOLD_KAFKA_BOOTSTRAP"]]
    log = stack.supervision.log("load")
    # In a session of its own, so that Ctrl-C does not reach it; it ends with its standard input.
    with (
        log.open("wb") as output,
        subprocess.Popen(  # noqa: S603 - our own command
            command, stdin=subprocess.PIPE, stdout=output, stderr=subprocess.STDOUT, start_new_session=True
        ) as process,
    ):
        assert process.stdin is not None  # noqa: S101 - by the argument above
        try:
            yield Load(process.stdin)
        finally:
            process.kill()
            process.wait(_STOP_SECONDS)
