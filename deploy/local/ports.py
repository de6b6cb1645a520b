"""The ports of the stack."""

import atexit
import dataclasses
import functools
import itertools
import json
import os
import socket
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Self

from deploy.local.errors import LocalError

HOST = "127.0.0.1"

HIGHEST_PORT = 65535

FREE_PORTS = range(20_000, 32_000)
"""Where free ports are picked: below the range that the kernel takes for outgoing connections. From within that
range, a client that keeps calling a server that is being started again could be given the server's own port."""

_EPHEMERAL = Path("/proc/sys/net/ipv4/ip_local_port_range")

BLOCK = 500
"""How many of them a process has to itself."""


@dataclasses.dataclass(frozen=True, slots=True)
class Ports:
    """The public ports of the stack, all on 127.0.0.1."""

    kafka: int = 9092
    mongo: int = 27017
    api: int = 8080
    metrics: int = 6066
    monitor: int = 6067
    prometheus: int = 9090
    console: int = 8081

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Self:
        """Return the ports that the variables `CALLFOLD_<NAME>_PORT` set, else the defaults.

        Raises:
            LocalError: a value is not a port, or two ports are the same.
        """
        given = {field.name: environment.get(variable(field.name)) for field in dataclasses.fields(cls)}
        ports = cls(**{name: _number(name, text) for name, text in given.items() if text})
        for name, port in ports.named():
            twins = [variable(other) for other, value in ports.named() if value == port and other != name]
            if twins:
                raise LocalError(f"{variable(name)} and {twins[0]} are both {port}: set one of them to another port.")
        return ports

    @classmethod
    def free(cls) -> Self:
        """Return free ports."""
        return cls(*(free_port() for _ in dataclasses.fields(cls)))

    @classmethod
    def recall(cls, path: Path) -> Self | None:
        """Return the ports that `remember` wrote, None if it wrote none."""
        try:
            return cls(**json.loads(path.read_text()))
        except FileNotFoundError:
            return None

    def remember(self, path: Path) -> None:
        """Write the ports to a file, so that `status` and `down` need no environment."""
        partial = path.with_suffix(".partial")
        partial.write_text(json.dumps(dataclasses.asdict(self)) + "\n")
        partial.rename(path)

    def named(self) -> Iterator[tuple[str, int]]:
        """Return each name with its port."""
        return iter(dataclasses.asdict(self).items())

    def check_free(self) -> None:
        """Check that nothing listens on the ports, but for that of Prometheus, which the stack runs without.

        Raises:
            LocalError: a port is taken; the message names its variable.
        """
        for name, port in self.named():
            if name != "prometheus" and not is_free(port):
                raise LocalError(f"Port {port} on {HOST} is taken: stop what listens there, or set {variable(name)}.")

    def warnings(self) -> Iterator[str]:
        """Yield a line for each port that the system may give to an outgoing connection while its server is away."""
        ephemeral = ephemeral_ports()
        for name, port in self.named():
            if port in ephemeral:
                yield (
                    f"{variable(name)} is {port}: a connection of another program may take it while the service "
                    f"restarts. Ports below {ephemeral.start} are safe."
                )


def variable(name: str) -> str:
    """Return the environment variable of the port `name`."""
    return f"CALLFOLD_{name.upper()}_PORT"


def ephemeral_ports() -> range:
    """Return the ports that the kernel takes for outgoing connections; none where it does not tell."""
    try:
        first, last = map(int, _EPHEMERAL.read_text().split())
    except (OSError, ValueError):
        return range(0)
    return range(first, last + 1)


def free_port() -> int:
    """Return a port on which nothing listens, and which no other process that calls this returns."""
    return next(port for port in _own_ports() if is_free(port))


@functools.cache
def _own_ports() -> Iterator[int]:
    """Return the ports of this process's block, over and over.

    Two processes must not pick the same port before either has a server listen on it. So each takes a block: it binds
    the block's first port until it ends.
    """
    blocks = FREE_PORTS[::BLOCK]
    for number in range(len(blocks)):
        first = blocks[(os.getpid() + number) % len(blocks)]
        guard = socket.socket()
        try:
            guard.bind((HOST, first))
        except OSError:
            guard.close()
        else:
            atexit.register(guard.close)
            return itertools.cycle(range(first + 1, first + BLOCK))
    raise LocalError(f"All ports from {FREE_PORTS[0]} to {FREE_PORTS[-1]} on {HOST} are taken: stop other stacks.")


def is_free(port: int) -> bool:
    """Return whether a server could listen on `port` of 127.0.0.1."""
    with socket.socket() as probe:
        # As servers do: closing connections of an earlier server do not block a port.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
        return True


def listens(port: int) -> bool:
    """Return whether something listens on `port` of 127.0.0.1."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((HOST, port)) == 0


def _number(name: str, text: str) -> int:
    if text.isascii() and text.isdigit() and 0 < int(text) <= HIGHEST_PORT:
        return int(text)
    raise LocalError(f"{variable(name)} is {text!r}: a port is a number from 1 to {HIGHEST_PORT}.")
