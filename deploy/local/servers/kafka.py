"""One Kafka broker in KRaft mode, from the downloaded jars."""

import base64
import shutil
import subprocess
import uuid
from pathlib import Path
from typing import ClassVar

from deploy.local.errors import LocalError
from deploy.local.ports import HOST, free_port, listens
from deploy.local.servers.broker import topics
from deploy.local.servers.install import HERE, LIBS, is_installed
from deploy.local.servers.java import find_java
from deploy.local.servers.process import Server
from shared.contract.topics import DEAD_LETTER_MAX_MESSAGE_BYTES

SETTINGS = HERE / "kafka-server.properties"
LOGGING = HERE / "kafka-log4j2.properties"

# A broker that runs out of memory ends, so that it can be started again.
MEMORY = ("-Xms128m", "-Xmx512m", "-XX:+ExitOnOutOfMemoryError")


class KafkaServer(Server):
    """A broker on `port`; its controller listens on a free port."""

    name: ClassVar[str] = "kafka"

    group_wait_ms = 0
    """How long a new group waits for further members. A worker gets its partitions at once: Kafka's default is 3 s."""

    def __init__(self, folder: Path, port: int, libs: Path = LIBS) -> None:
        super().__init__(folder, port)
        self.libs = libs.resolve()

    def prepare(self) -> None:
        """Write the broker's settings, and format its storage before the first start.

        Raises:
            LocalError: Java or the jars are missing, or the storage could not be formatted.
        """
        if not is_installed(self.libs):
            raise LocalError(f"Kafka's jars are not in {self.libs}: run `make install`.")
        self.folder.mkdir(parents=True, exist_ok=True)
        properties = self._properties()
        _write(self.folder / "server.properties", properties)
        if not (self.folder / "data").is_dir():
            self._format(properties)

    def command(self) -> list[str]:
        return self._java("kafka.Kafka", "server.properties")

    @property
    def listeners(self) -> dict[str, str]:
        """The addresses for clients, by the listeners' names."""
        return {"PLAINTEXT": self.address}

    def lacks(self) -> str | None:
        if not listens(self.port):
            return f"nothing listens on {self.address}"
        return f"the broker on {self.address} is not in service" if topics(self.address) is None else None

    def _properties(self) -> str:
        controller = f"{HOST}:{free_port()}"
        listeners = ",".join(f"{name}://{address}" for name, address in self.listeners.items())
        own = {
            "listeners": f"{listeners},CONTROLLER://{controller}",
            "advertised.listeners": listeners,
            "controller.quorum.voters": f"1@{controller}",
            "group.initial.rebalance.delay.ms": self.group_wait_ms,
            "message.max.bytes": DEAD_LETTER_MAX_MESSAGE_BYTES,
            "replica.fetch.max.bytes": DEAD_LETTER_MAX_MESSAGE_BYTES,
        }
        return SETTINGS.read_text() + "\n" + "".join(f"{key}={value}\n" for key, value in own.items())

    def _format(self, properties: str) -> None:
        """Format into a folder that is renamed when it is complete: the broker does not start on a partial one."""
        partial = self.folder / "data.partial"
        shutil.rmtree(partial, ignore_errors=True)
        _write(self.folder / "format.properties", f"{properties}log.dirs={partial.name}\n")
        # A random UUID in Kafka's spelling, except that a leading dash would be read as an option.
        cluster = "C" + base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")[1:]
        tool = self._java("kafka.tools.StorageTool", "format", "-t", cluster, "-c", "format.properties")
        done = subprocess.run(tool, cwd=self.folder, capture_output=True, text=True, check=False)  # noqa: S603 - our own command
        if done.returncode != 0:
            raise LocalError(f"Kafka's storage could not be formatted:\n{done.stdout}{done.stderr}".rstrip())
        partial.rename(self.folder / "data")

    def _java(self, *arguments: str) -> list[str]:
        logging = f"-Dlog4j2.configurationFile={LOGGING.as_uri()}"
        return [find_java(), *MEMORY, logging, "-cp", f"{self.libs}/*", *arguments]


def _write(path: Path, properties: str) -> None:
    path.write_text(properties, encoding="ascii")
