"""Kafka Connect with MongoDB's sink connector, in a standalone worker: the usual way from Kafka into MongoDB."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, ClassVar

import httpx

from benchmarks.stage import progress
from deploy.local.errors import LocalError, tail
from deploy.local.ports import free_port
from deploy.local.servers.install import DOWNLOADS, install
from deploy.local.servers.java import find_java
from deploy.local.servers.kafka import LOGGING
from deploy.local.servers.process import Server

_POM = Path(__file__).with_name("connect-pom.xml")
_PROPERTIES = Path(__file__).with_name("connect-worker.properties")
_LIBS = DOWNLOADS / "connect" / "libs"
_CONNECTOR_JAR = "mongo-kafka-connect-*.jar"
_MEMORY = "-Xmx1g"
_TASKS = 2
_SINK = "com.mongodb.kafka.connect.sink"


class Mode(StrEnum):
    """How an event becomes a document: under an id of its own, so that redelivery doubles it, or by the event's id."""

    INSERT = "insert"
    REPLACE = "replace"


_MODES: dict[Mode, dict[str, str]] = {
    Mode.INSERT: {},
    Mode.REPLACE: {
        "document.id.strategy": f"{_SINK}.processor.id.strategy.PartialValueStrategy",
        "document.id.strategy.partial.value.projection.type": "AllowList",
        "document.id.strategy.partial.value.projection.list": "id",
        "writemodel.strategy": f"{_SINK}.writemodel.strategy.ReplaceOneDefaultStrategy",
    },
}


@dataclass(frozen=True, slots=True)
class Sink:
    """`name` names the connector, so that each has a consumer group of its own."""

    name: str
    bootstrap: str
    topics: Sequence[str]
    mongo_uri: str
    database: str
    collection: str
    mode: Mode = Mode.INSERT

    def properties(self) -> dict[str, str]:
        return {
            "name": self.name,
            "connector.class": "com.mongodb.kafka.connect.MongoSinkConnector",
            "tasks.max": str(_TASKS),
            "topics": ",".join(self.topics),
            "connection.uri": f"{self.mongo_uri}&w=majority",
            "database": self.database,
            "collection": self.collection,
            # As its documentation advises where order does not matter: the server may write in parallel.
            "bulk.write.ordered": "false",
            **_MODES[self.mode],
        }


class ConnectWorker(Server):
    """A worker of Kafka Connect that runs one sink."""

    name: ClassVar[str] = "connect"

    def __init__(self, folder: Path, sink: Sink) -> None:
        super().__init__(folder, free_port())
        self._sink = sink

    def prepare(self) -> None:
        """Write the settings, and download the jars once.

        Raises:
            LocalError: Java or Maven is missing, or the download failed.
        """
        install(progress, _LIBS, pom=_POM, what="Kafka Connect and MongoDB's connector")
        self.folder.mkdir(parents=True, exist_ok=True)
        own = {
            "bootstrap.servers": self._sink.bootstrap,
            "listeners": f"http://{self.address}",
            "plugin.path": ",".join(map(str, _LIBS.glob(_CONNECTOR_JAR))),
        }
        worker = f"{_PROPERTIES.read_text(encoding='ascii')}\n{_lines(own)}"
        (self.folder / "worker.properties").write_text(worker, encoding="ascii")
        (self.folder / "sink.properties").write_text(_lines(self._sink.properties()), encoding="ascii")

    def command(self) -> list[str]:
        options = [_MEMORY, f"-Dlog4j2.configurationFile={LOGGING.as_uri()}"]
        main = "org.apache.kafka.connect.cli.ConnectStandalone"
        return [find_java(), *options, main, "worker.properties", "sink.properties"]

    def environment(self) -> dict[str, str]:
        """Return the environment; the connector, which bundles old libraries, is not on the class path."""
        jars = sorted(set(_LIBS.glob("*.jar")) - set(_LIBS.glob(_CONNECTOR_JAR)))
        return {**os.environ, "CLASSPATH": os.pathsep.join(map(str, jars))}

    def lacks(self) -> str | None:
        """Return what is missing before events are stored.

        Raises:
            LocalError: the connector or a task has failed; it does not restart by itself.
        """
        status = self._status()
        if status is None:
            return f"no connector {self._sink.name} on {self.address}"
        parts = [status["connector"], *status["tasks"]]
        for part in parts:
            if part["state"] == "FAILED":
                raise LocalError(f"Kafka Connect failed:\n{part.get('trace')}\nThe end of its log:\n{tail(self.log)}")
        running = sum(part["state"] == "RUNNING" for part in parts)
        return None if running == 1 + _TASKS else f"{running} of {1 + _TASKS} parts of {self._sink.name} run"

    def _status(self) -> dict[str, Any] | None:
        try:
            answer = httpx.get(f"http://{self.address}/connectors/{self._sink.name}/status", timeout=5.0)
        except httpx.HTTPError:
            return None
        return answer.json() if answer.status_code == httpx.codes.OK else None


def _lines(properties: Mapping[str, str]) -> str:
    return "".join(f"{name}={value}\n" for name, value in properties.items())
