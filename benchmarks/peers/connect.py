"""Kafka Connect with MongoDB's sink connector, in a standalone worker: the usual way from Kafka into MongoDB."""

import os
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Any, ClassVar

import httpx

from benchmarks.stage import Stage, progress
from deploy.local.errors import LocalError, tail
from deploy.local.ports import free_port
from deploy.local.servers.install import DOWNLOADS, install
from deploy.local.servers.java import find_java
from deploy.local.servers.kafka import LOGGING
from deploy.local.servers.process import Server
from shared.contract.topics import Topics

_POM = Path(__file__).with_name("connect-pom.xml")
_PROPERTIES = Path(__file__).with_name("connect-worker.properties")
_LIBS = DOWNLOADS / "connect" / "libs"
_CONNECTOR_JAR = "mongo-kafka-connect-*.jar"
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


class ConnectWorker(Server):
    """Writes the topics into `events` of a database, which also names the connector and its consumer group."""

    name: ClassVar[str] = "connect"

    def __init__(self, stage: Stage, topics: Topics, database: str, mode: Mode = Mode.INSERT) -> None:
        super().__init__(stage.folder / database, free_port())
        self._status = f"http://{self.address}/connectors/{database}/status"
        self._worker = {"bootstrap.servers": stage.kafka.address, "listeners": f"http://{self.address}"}
        self._sink = {
            "name": database,
            "connector.class": "com.mongodb.kafka.connect.MongoSinkConnector",
            "tasks.max": str(_TASKS),
            "topics": ",".join(topics.inputs),
            "connection.uri": f"{stage.mongo.uri}&w=majority",
            "database": database,
            "collection": "events",
            # As its documentation advises where order does not matter: the server may write in parallel.
            "bulk.write.ordered": "false",
            **_MODES[mode],
        }

    def prepare(self) -> None:
        """Write the settings, and download the jars once.

        Raises:
            LocalError: Java or Maven is missing, or the download failed.
        """
        install(progress, _LIBS, pom=_POM, what="Kafka Connect and MongoDB's connector")
        self.folder.mkdir(parents=True, exist_ok=True)
        worker = self._worker | {"plugin.path": ",".join(map(str, _LIBS.glob(_CONNECTOR_JAR)))}
        (self.folder / "worker.properties").write_text(_PROPERTIES.read_text() + _lines(worker))
        (self.folder / "sink.properties").write_text(_lines(self._sink))

    def command(self) -> list[str]:
        main = "org.apache.kafka.connect.cli.ConnectStandalone"
        options = ["-Xmx1g", f"-Dlog4j2.configurationFile={LOGGING.as_uri()}"]
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
        try:
            answer = httpx.get(self._status, timeout=5.0)
        except httpx.HTTPError as error:
            return f"{type(error).__name__} at {self.address}"
        if answer.status_code != httpx.codes.OK:
            return f"no connector at {self._status}"
        status: dict[str, Any] = answer.json()
        parts = [status["connector"], *status["tasks"]]
        for part in parts:
            if part["state"] == "FAILED":
                raise LocalError(f"Kafka Connect failed:\n{part.get('trace')}\nThe end of its log:\n{tail(self.log)}")
        running = sum(part["state"] == "RUNNING" for part in parts)
        return None if running == 1 + _TASKS else f"{running} of {1 + _TASKS} parts of the connector run"


def _lines(properties: Mapping[str, str]) -> str:
    return "".join(f"{name}={value}\n" for name, value in properties.items())
