"""The members of a stack: what runs, where it listens, when it is ready."""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import httpx

from deploy.local.local_client import local_client
from deploy.local.ports import HOST, Ports
from deploy.local.servers.broker import topics
from deploy.local.servers.kafka import KafkaServer
from deploy.local.servers.mongod import MongoServer
from deploy.local.servers.process import Server
from deploy.local.servers.prometheus import PrometheusServer
from deploy.local.supervision import Program
from shared.contract.topics import Topics

TIMEOUT = 5.0
LONGEST_ANSWER = 300


@dataclass(frozen=True, slots=True)
class Member:
    """One service of the stack: its name for supervisord and its log, its title and address for the user.

    `program` raises LocalError if a dependency is missing; `lacks` returns why the service is not ready, None once
    it is. The stack is up without an `optional` one too.
    """

    name: str
    title: str
    port: int
    address: str
    program: Callable[[], Program]
    lacks: Callable[[], str | None]
    optional: bool = False


def mongod(server: MongoServer) -> Member:
    return Member(server.name, "MongoDB", server.port, server.uri, lambda: _program(server), server.lacks)


def kafka(server: KafkaServer) -> Member:
    return Member(server.name, "Kafka", server.port, server.address, lambda: _program(server), server.lacks)


def api(command: Sequence[str], ports: Ports) -> Member:
    url = f"http://{HOST}:{ports.api}"
    return Member("api", "API", ports.api, url, lambda: _here("api", command), lambda: _unready(url))


def worker(command: Sequence[str], ports: Ports) -> Member:
    """Return the worker as a member: ready when `/readyz` is and its topics exist."""
    url = f"http://{HOST}:{ports.metrics}"

    def lacks() -> str | None:
        return _unready(url) or _without_topics(f"{HOST}:{ports.kafka}")

    return Member("worker", "Worker", ports.metrics, url, lambda: _here("worker", command), lacks)


def monitor(command: Sequence[str], ports: Ports) -> Member:
    url = f"http://{HOST}:{ports.monitor}"
    return Member("monitor", "Monitor", ports.monitor, url, lambda: _here("monitor", command), lambda: _unready(url))


def console(command: Sequence[str], ports: Ports) -> Member:
    url = f"http://{HOST}:{ports.console}"
    return Member("console", "Console", ports.console, url, lambda: _here("console", command), lambda: _unready(url))


def prometheus(server: PrometheusServer) -> Member:
    address = f"http://{server.address}"
    return Member(
        server.name, "Prometheus", server.port, address, lambda: _program(server), server.lacks, optional=True
    )


def _program(server: Server) -> Program:
    return Program(server.name, tuple(server.command()), server.folder)


def _here(name: str, command: Sequence[str]) -> Program:
    # In the caller's folder, so that relative paths in their variables keep their meaning.
    return Program(name, tuple(command), Path.cwd())


def _unready(url: str) -> str | None:
    try:
        answer = local_client().get(f"{url}/readyz", timeout=TIMEOUT)
    except httpx.HTTPError as error:
        return f"{url}/readyz: {type(error).__name__}: {error}"
    if answer.status_code == httpx.codes.OK:
        return None
    return f"{url}/readyz returns {answer.status_code}: {answer.text[:LONGEST_ANSWER]}"


def _without_topics(bootstrap: str) -> str | None:
    wanted = Topics(os.environ.get("CALLFOLD_TOPIC_PREFIX") or Topics().prefix)
    missing = {*wanted.inputs, wanted.dead_letter} - (topics(bootstrap) or frozenset())
    return f"topics are missing: {', '.join(sorted(missing))}" if missing else None
