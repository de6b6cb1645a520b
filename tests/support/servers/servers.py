"""Real servers for tests: containers where an engine answers, else the local ones. Both can be killed and started."""

import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from deploy.local.ports import HOST, free_port
from deploy.local.servers.install import install
from deploy.local.servers.kafka import KafkaServer
from deploy.local.servers.mongod import REPLICA_SET, MongoServer
from deploy.local.servers.process import Server

_KAFKA_IMAGE = "apache/kafka:4.1.0"
_MONGO_IMAGE = "mongo:7.0"


@cache
def engine_answers() -> bool:
    """Return whether containers can be run here."""
    docker = shutil.which("docker")
    return docker is not None and subprocess.run([docker, "info"], capture_output=True, check=False).returncode == 0


class KafkaContainer(KafkaServer):
    """The broker in a container, listening on the same port inside and outside."""

    def prepare(self) -> None:
        """Make the container."""
        port, controller = self.port, free_port()
        self._container = _container(
            _KAFKA_IMAGE,
            port,
            KAFKA_NODE_ID="1",
            KAFKA_PROCESS_ROLES="broker,controller",
            KAFKA_LISTENERS=f"PLAINTEXT://:{port},CONTROLLER://:{controller}",
            KAFKA_ADVERTISED_LISTENERS=f"PLAINTEXT://{self.address}",
            KAFKA_CONTROLLER_LISTENER_NAMES="CONTROLLER",
            KAFKA_CONTROLLER_QUORUM_VOTERS=f"1@localhost:{controller}",
            KAFKA_LISTENER_SECURITY_PROTOCOL_MAP="CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT",
            KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR="1",
            KAFKA_TRANSACTION_STATE_LOG_REPLICATION_FACTOR="1",
            KAFKA_TRANSACTION_STATE_LOG_MIN_ISR="1",
            KAFKA_GROUP_INITIAL_REBALANCE_DELAY_MS=str(self.group_wait_ms),
            KAFKA_AUTO_CREATE_TOPICS_ENABLE="false",
        )

    def start(self) -> None:
        """Start the container, the same one each time."""
        _start(self._container)

    def kill(self) -> None:
        """End it at once."""
        self._container.get_wrapped_container().kill()

    def stop(self, timeout: float = 20.0) -> None:
        """End it in order."""
        self._container.get_wrapped_container().stop(timeout=int(timeout))


class MongoProcess(MongoServer):
    """mongod on this machine."""

    options: Sequence[str] = ()

    def command(self) -> list[str]:
        """Return the command that runs the server."""
        return [*super().command(), *self.options]


class MongoContainer(MongoProcess):
    """mongod in a container, listening on the same port inside and outside."""

    def prepare(self) -> None:
        """Make the container."""
        command = " ".join(["--replSet", REPLICA_SET, "--bind_ip_all", "--port", str(self.port), *self.options])
        self._container = _container(_MONGO_IMAGE, self.port).with_command(command)

    start = KafkaContainer.start
    kill = KafkaContainer.kill
    stop = KafkaContainer.stop


def _container(image: str, port: int, **environment: str) -> Any:
    from testcontainers.core.container import DockerContainer  # noqa: PLC0415 - slow, and rarely needed

    container = DockerContainer(image).with_bind_ports(port, (HOST, port))
    for name, value in environment.items():
        container.with_env(name, value)
    return container


def _start(container: Any) -> None:
    wrapped = container.get_wrapped_container()
    if wrapped is None:
        container.start()
    else:
        wrapped.start()


@contextmanager
def kafka_server(group_wait_ms: int = KafkaServer.group_wait_ms) -> Iterator[Server]:
    """Run a broker with data of its own; a new group waits so long for further members."""
    if not engine_answers():
        install(print)
    with _folder() as folder, _broker(folder, group_wait_ms) as server:
        yield server


@contextmanager
def mongo_server(*options: str) -> Iterator[MongoServer]:
    """Run a replica set of one with data of its own; `options` are additional ones of mongod."""
    with _folder() as folder, _mongod(folder, options) as server:
        yield server


def _broker(folder: Path, group_wait_ms: int) -> KafkaServer:
    server = (KafkaContainer if engine_answers() else KafkaServer)(folder, free_port())
    server.group_wait_ms = group_wait_ms
    return server


def _mongod(folder: Path, options: Sequence[str]) -> MongoServer:
    server = (MongoContainer if engine_answers() else MongoProcess)(folder, free_port())
    server.options = options
    return server


@contextmanager
def _folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="callfold-", ignore_cleanup_errors=True) as folder:
        yield Path(folder)
