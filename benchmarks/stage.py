"""The servers that everything is measured on, one pair for a whole run, and what they and the pipelines use."""

import asyncio
import tempfile
import time
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
from confluent_kafka import Producer
from pymongo import MongoClient
from pymongo.database import Database

from benchmarks.calls import Workload
from benchmarks.saying import say
from deploy.local.servers.mongod import MongoServer
from deploy.local.servers.process import Server
from services.worker.consumer.topic_setup import Wanted, declare
from services.worker.runtime.retry import retry_until_available
from shared.contract.topics import Topics
from shared.kafka.access import KafkaAccess
from shared.kafka.errors import KafkaUnavailable
from tests.support.servers.servers import kafka_server, mongo_server

Documents = Database[dict[str, Any]]


@dataclass
class Stage:
    """A broker, a mongod and a folder; every measurement has a database and a consumer group of its own."""

    kafka: Server
    mongo: MongoServer
    folder: Path
    client: MongoClient[dict[str, Any]]
    _published: dict[tuple[Workload, int], Topics] = field(default_factory=dict)
    _names: int = 0

    def name(self, what: str) -> str:
        """Return a name that nothing had before: for a database, a group, a topic prefix."""
        self._names += 1
        return f"{what}-{self._names}"

    def database(self, name: str) -> Documents:
        """Return a database of this mongod."""
        return self.client[name]

    async def published(self, workload: Workload, partitions: int = 12) -> Topics:
        """Return the topics in which the whole workload lies, published when it is first asked for."""
        if (workload, partitions) not in self._published:
            topics = await self.topics(partitions)
            say(f"publishing {workload.total:,} events of {workload.calls:,} calls ({workload.name})")
            await asyncio.to_thread(publish, self.kafka.address, workload.messages(topics))
            self._published[workload, partitions] = topics
        return self._published[workload, partitions]

    async def topics(self, partitions: int) -> Topics:
        """Return new input and dead-letter topics."""
        topics = Topics(self.name("calls"))
        wanted = Wanted(partitions, 1)
        await retry_until_available(
            "kafka", lambda: declare(KafkaAccess(self.kafka.address), topics, wanted), KafkaUnavailable
        )
        return topics

    def servers(self) -> dict[str, int]:
        """Return the processes of the servers."""
        return {"kafka": self.kafka.pid, "mongod": self.mongo.pid}


@asynccontextmanager
async def stage() -> AsyncIterator[Stage]:
    """Run the servers."""
    with (
        tempfile.TemporaryDirectory(prefix="callfold-", ignore_cleanup_errors=True) as folder,
        kafka_server() as kafka,
        mongo_server() as mongo,
        MongoClient[dict[str, Any]](mongo.uri) as client,
    ):
        yield Stage(kafka, mongo, Path(folder), client)


def publish(bootstrap: str, messages: Iterable[tuple[str, bytes, bytes]]) -> None:
    """Publish topic, key and value; return when the broker has all of it."""
    producer = Producer(
        {
            "bootstrap.servers": bootstrap,
            "partitioner": "murmur2_random",
            "linger.ms": 50,
            "batch.size": 262_144,
            "queue.buffering.max.messages": 500_000,
        }
    )
    for topic, key, value in messages:
        while True:
            try:
                producer.produce(topic, value, key)
                break
            except BufferError:
                producer.poll(0.1)
    if producer.flush(120.0):
        raise RuntimeError("the broker did not take all events")


def cpu_seconds(pid: int) -> float:
    """Return the CPU time that a process and its children, those that have ended too, have taken so far."""
    process = psutil.Process(pid)
    times = [each.cpu_times() for each in (process, *process.children(recursive=True))]
    return sum(each.user + each.system + each.children_user + each.children_system for each in times)


def peak_megabytes(pid: int) -> float:
    """Return the most resident memory that a process ever had, by Linux's own account."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii", errors="replace")
    line = next(line for line in status.splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) / 1024


class Consumed:
    """The CPU time that processes take from now on."""

    def __init__(self, **pids: int) -> None:
        self._before = {name: (pid, cpu_seconds(pid)) for name, pid in pids.items()}

    def seconds(self) -> dict[str, float]:
        """Return the seconds of each so far."""
        return {name: cpu_seconds(pid) - before for name, (pid, before) in self._before.items()}


async def settle(idle_percent: float = 25.0, longest: float = 30.0) -> None:
    """Give the servers time to finish what the last measurement left: flushes, compactions, closed clients."""
    until = time.monotonic() + longest
    busy = 100.0
    while busy > idle_percent and time.monotonic() < until:
        psutil.cpu_percent()
        await asyncio.sleep(2.0)
        busy = psutil.cpu_percent()
