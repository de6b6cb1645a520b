"""A worker of Kafka Connect as a child of this process, running MongoDB's sink connector alone."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, ClassVar

import httpx

from benchmarks.saying import say
from deploy.local.errors import LocalError, tail
from deploy.local.ports import free_port
from deploy.local.servers.install import DOWNLOADS, install
from deploy.local.servers.java import find_java
from deploy.local.servers.kafka import LOGGING
from deploy.local.servers.process import Server

HERE = Path(__file__).parent
POM = HERE / "pom.xml"
LIBS = DOWNLOADS / "connect" / "libs"

MEMORY = "-Xmx1g"
TASKS = 2

_CONNECTOR_JAR = "mongo-kafka-connect-*.jar"
_ID_STRATEGY = "com.mongodb.kafka.connect.sink.processor.id.strategy.PartialValueStrategy"
_PATIENCE = 5.0


class Mode(StrEnum):
    """How an event becomes a document: under an id of its own, so that redelivery doubles it, or by the event's id."""

    INSERT = "insert"
    REPLACE = "replace"


_MODES: dict[Mode, dict[str, str]] = {
    Mode.INSERT: {},
    Mode.REPLACE: {
        "document.id.strategy": _ID_STRATEGY,
        "document.id.strategy.partial.value.projection.type": "AllowList",
        "document.id.strategy.partial.value.projection.list": "id",
        "writemodel.strategy": "com.mongodb.kafka.connect.sink.writemodel.strategy.ReplaceOneDefaultStrategy",
    },
}


@dataclass(frozen=True, slots=True)
class Sink:
    """What is brought where; `name` names the connector, so that each has a consumer group of its own."""

    name: str
    bootstrap: str
    topics: Sequence[str]
    mongo_uri: str
    database: str
    collection: str
    mode: Mode = Mode.INSERT

    @property
    def group(self) -> str:
        """The consumer group, as Connect names it."""
        return f"connect-{self.name}"

    def properties(self) -> dict[str, str]:
        """Return the connector's settings."""
        return {
            "name": self.name,
            "connector.class": "com.mongodb.kafka.connect.MongoSinkConnector",
            "tasks.max": str(TASKS),
            "topics": ",".join(self.topics),
            "connection.uri": f"{self.mongo_uri}&w=majority",
            "database": self.database,
            "collection": self.collection,
            # Its documentation advises it wherever order does not matter: the server may write in parallel.
            "bulk.write.ordered": "false",
            **_MODES[self.mode],
        }


class ConnectWorker(Server):
    """Runs one sink in a standalone worker: `with ConnectWorker(folder, sink):`, its tasks run then.

    `prepare()` and `start()` for who does not want to wait for them.
    """

    name: ClassVar[str] = "connect"

    def __init__(self, folder: Path, sink: Sink) -> None:
        super().__init__(folder, free_port())
        self.sink = sink

    def prepare(self) -> None:
        """Write the settings, and download the jars when they are first needed.

        Raises:
            LocalError: Java or Maven is missing, or the download failed.
        """
        install(say, LIBS, pom=POM, what="Kafka Connect and MongoDB's connector")
        self.folder.mkdir(parents=True, exist_ok=True)
        own = {
            "bootstrap.servers": self.sink.bootstrap,
            "listeners": f"http://{self.address}",
            "plugin.path": ",".join(map(str, LIBS.glob(_CONNECTOR_JAR))),
        }
        usual = (HERE / "worker.properties").read_text(encoding="ascii")
        (self.folder / "worker.properties").write_text(f"{usual}\n{_lines(own)}", encoding="ascii")
        (self.folder / "sink.properties").write_text(_lines(self.sink.properties()), encoding="ascii")

    def command(self) -> list[str]:
        """Return the command that runs the worker."""
        options = [MEMORY, f"-Dlog4j2.configurationFile={LOGGING.as_uri()}"]
        main = "org.apache.kafka.connect.cli.ConnectStandalone"
        return [find_java(), *options, main, "worker.properties", "sink.properties"]

    def environment(self) -> dict[str, str]:
        """Return the environment with the class path, in which the connector is not: it carries old libraries."""
        jars = sorted(set(LIBS.glob("*.jar")) - set(LIBS.glob(_CONNECTOR_JAR)))
        return {**os.environ, "CLASSPATH": os.pathsep.join(map(str, jars))}

    def lacks(self) -> str | None:
        """Return what is missing before events are brought.

        Raises:
            LocalError: the connector or a task has failed; it does not start again by itself.
        """
        status = self._status()
        if status is None:
            return f"no connector {self.sink.name} on {self.address}"
        parts = [status["connector"], *status["tasks"]]
        for part in parts:
            if part["state"] == "FAILED":
                raise LocalError(f"Kafka Connect failed:\n{part.get('trace')}\nThe end of its log:\n{tail(self.log)}")
        running = sum(part["state"] == "RUNNING" for part in parts)
        return None if running == 1 + TASKS else f"{running} of {1 + TASKS} parts of {self.sink.name} run"

    def _status(self) -> dict[str, Any] | None:
        try:
            answer = httpx.get(f"http://{self.address}/connectors/{self.sink.name}/status", timeout=_PATIENCE)
        except httpx.HTTPError:
            return None
        return answer.json() if answer.status_code == httpx.codes.OK else None


def _lines(properties: Mapping[str, str]) -> str:
    return "".join(f"{name}={value}\n" for name, value in properties.items())
