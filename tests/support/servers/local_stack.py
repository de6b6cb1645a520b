"""A stack on this machine for tests: its commands, stand-ins for its services, tiny clients of its servers."""

import dataclasses
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from pymongo import MongoClient

from deploy.local import leftovers
from deploy.local.ports import HOST, Ports, variable

TOPIC = "calls.telephony"

STAND_IN = """
import asyncio, http.server, os, sys
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

async def create_topics():
    client = AIOKafkaAdminClient(bootstrap_servers=os.environ["CALLFOLD_KAFKA_BOOTSTRAP"])
    await client.start()
    await client.create_topics([NewTopic("calls." + t, 1, 1) for t in ("telephony", "transcription", "dead-letter")])
    await client.close()

class Ready(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()

if os.environ.get("FAILING") == "{name}":
    sys.exit("the price book is upside down")
if "{name}" == "worker":
    asyncio.run(create_topics())
http.server.HTTPServer(("127.0.0.1", int(os.environ["CALLFOLD_{port}_PORT"])), Ready).serve_forever()
"""

PROMETHEUS = f"""#!{sys.executable}
import http.server, os, sys

class Ready(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()

if os.environ.get("FAILING") == "prometheus":
    sys.exit("a rule is upside down")
[address] = [argument.split("=")[1] for argument in sys.argv if argument.startswith("--web.listen-address")]
host, port = address.split(":")
http.server.HTTPServer((host, int(port)), Ready).serve_forever()
"""


@dataclasses.dataclass
class Machine:
    """A folder in which a user runs `python -m deploy.local`."""

    folder: Path
    state: Path
    ports: Ports
    variables: dict[str, str] = dataclasses.field(default_factory=dict)

    def start(self, command: str) -> subprocess.Popen[str]:
        ports = {variable(name): str(port) for name, port in self.ports.named()}
        return subprocess.Popen(
            [sys.executable, "-m", "deploy.local", command, "--state", str(self.state)],
            cwd=self.folder,
            env={**os.environ, **self._stand_ins(), **ports, **self.variables},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def _stand_ins(self) -> dict[str, str]:
        # A stand-in for the API knows no keys.
        return {"CALLFOLD_MONITOR_CANARY": "false", "PATH": f"{self.folder / 'bin'}:{os.environ['PATH']}"}

    def run(self, command: str, status: int = 0) -> str:
        with self.start(command) as process:
            said, _ = process.communicate()
        assert process.returncode == status, said
        return said

    def pid(self, title: str) -> int:
        line = next(line for line in self.run("status").splitlines() if line.startswith(title))
        return int(line.split("pid")[1].split()[0])

    def processes(self) -> list[psutil.Process]:
        return leftovers.processes(self.state.resolve())


def make_stand_ins(folder: Path) -> None:
    """Make a package `services` and a Prometheus that do nothing but become ready."""
    for name, port in (("api", "API"), ("worker", "METRICS"), ("monitor", "MONITOR"), ("console", "CONSOLE")):
        package = folder / "services" / name
        package.mkdir(parents=True)
        (package / "__main__.py").write_text(STAND_IN.replace("{name}", name).replace("{port}", port))
        (package / "__init__.py").touch()
    (folder / "services" / "__init__.py").touch()
    prometheus = folder / "bin" / "prometheus"
    prometheus.parent.mkdir()
    prometheus.write_text(PROMETHEUS)
    prometheus.chmod(0o755)


async def create_topic(port: int) -> None:
    client = AIOKafkaAdminClient(bootstrap_servers=f"{HOST}:{port}")
    await client.start()
    await client.create_topics([NewTopic(TOPIC, 1, 1)])
    await client.close()


async def publish(port: int, value: bytes) -> None:
    async with AIOKafkaProducer(bootstrap_servers=f"{HOST}:{port}", acks="all") as producer:
        await producer.send_and_wait(TOPIC, value)


async def published(port: int) -> bytes:
    consumer = AIOKafkaConsumer(TOPIC, bootstrap_servers=f"{HOST}:{port}", auto_offset_reset="earliest")
    async with consumer:
        value: bytes = (await consumer.getone()).value
        return value


def store(port: int, key: str) -> None:
    with MongoClient[dict[str, Any]](f"mongodb://{HOST}:{port}/?replicaSet=rs&w=majority") as client:
        client.test.calls.insert_one({"_id": key})


def overwrite_slowly(port: int, key: str, text: str) -> None:
    """Write a text into a document by an update that takes longer than MongoDB's usual limit for a slow one."""
    slow = {"_id": key, "$where": "sleep(300) || true"}
    with MongoClient[dict[str, Any]](f"mongodb://{HOST}:{port}/?replicaSet=rs&w=majority") as client:
        assert client.test.calls.update_one(slow, {"$set": {"text": text}}).modified_count == 1


def stored(port: int) -> list[str]:
    with MongoClient[dict[str, Any]](f"mongodb://{HOST}:{port}/?replicaSet=rs") as client:
        return [call["_id"] for call in client.test.calls.find()]


@contextmanager
def another_stack(state: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run a process that belongs to the stack in `state`."""
    sleep = [sys.executable, "-c", "import time; time.sleep(600)"]
    environment = {**os.environ, leftovers.VARIABLE: str(state)}
    with subprocess.Popen(sleep, env=environment) as process:
        try:
            yield process
        finally:
            process.kill()
