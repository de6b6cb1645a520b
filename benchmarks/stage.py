"""The servers that everything is measured on, and what is measured of processes."""

import argparse
import asyncio
import secrets
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

import psutil
from confluent_kafka import Producer
from pymongo import MongoClient
from pymongo.database import Database

from benchmarks.load.calls import Message, Workload
from deploy.local.servers.mongod import MongoServer
from deploy.local.servers.process import Server
from services.worker.consumer.topic_setup import Wanted, declare
from services.worker.runtime.retry import retry_until_available
from shared.config.mongo_access import MongoAccess
from shared.contract.topics import Topics
from shared.kafka.access import KafkaAccess
from shared.kafka.errors import KafkaUnavailable
from shared.store.api_keys import new_key
from shared.store.mongo.api_keys import MongoApiKeys
from shared.store.mongo.client import Connection
from tests.support.api.client import PEPPER
from tests.support.servers.servers import kafka_server, mongo_server
from tests.support.worker.process import WorkerProcess

Documents = Database[dict[str, Any]]

_BEGAN = time.monotonic()

_GROUP_WAIT_MS = 3_000
"""As by default: a group begins with all of its members, so that no worker begins with what another takes over."""


@dataclass(frozen=True, slots=True)
class Plan:
    """`quick`: only the cases that most targets are about."""

    rounds: int = 3
    quick: bool = False


def progress(line: str) -> None:
    """Print to standard error; standard output is for results."""
    print(f"{time.monotonic() - _BEGAN:6.0f} s  {line}", file=sys.stderr, flush=True)  # noqa: T201


@dataclass
class Stage:
    """A broker, a mongod and a folder; every measurement has a database and a consumer group of its own."""

    kafka: Server
    mongo: MongoServer
    folder: Path
    client: MongoClient[dict[str, Any]]
    _published: dict[tuple[Workload, int], Topics] = field(default_factory=dict)
    _run: str = field(default_factory=lambda: secrets.token_hex(3))
    _names: int = 0

    def name(self, what: str) -> str:
        """Return a new name, also on servers that had a stage before: for a database, a group, a topic prefix."""
        self._names += 1
        return f"{what}-{self._run}-{self._names}"

    @contextmanager
    def database(self, what: str) -> Iterator[Documents]:
        """Provide a new database; drop it at the end."""
        name = self.name(what)
        try:
            yield self.client[name]
        finally:
            self.client.drop_database(name)

    @asynccontextmanager
    async def connection(self, database: str) -> AsyncIterator[Connection]:
        connection = Connection(MongoAccess(self.mongo.uri), database)
        try:
            yield connection
        finally:
            await connection.close()

    async def published(self, workload: Workload, partitions: int = 12) -> Topics:
        """Return the topics that hold the whole workload; it is published once."""
        if (workload, partitions) not in self._published:
            topics = await self.topics(partitions)
            progress(f"publishing {workload.total:,} events of {workload.calls:,} calls ({workload.name})")
            await asyncio.to_thread(publish, self.kafka.address, workload.messages(topics))
            self._published[workload, partitions] = topics
        return self._published[workload, partitions]

    async def topics(self, partitions: int) -> Topics:
        """Create input and dead-letter topics."""
        topics, wanted = Topics(self.name("calls")), Wanted(partitions, 1)
        await retry_until_available(
            "kafka", lambda: declare(KafkaAccess(self.kafka.address), topics, wanted), KafkaUnavailable
        )
        return topics

    def worker(self, topics: Topics, database: str, **settings: object) -> WorkerProcess:
        """Return a worker that is not started yet, with the short times of tests unless set otherwise."""
        return WorkerProcess(self.kafka.address, self.mongo.uri, topics, database, self.folder, **settings)

    async def key(self, connection: Connection, organization: str) -> dict[str, str]:
        """Create an API key; return the headers that hold it."""
        key, secret = new_key(organization, PEPPER.encode())
        await MongoApiKeys(connection).add(key)
        return {"X-API-KEY": key.api_key, "X-API-SECRET": secret}

    def pids(self) -> dict[str, int]:
        return {"kafka": self.kafka.pid, "mongod": self.mongo.pid}


@asynccontextmanager
async def stage() -> AsyncIterator[Stage]:
    """Run the servers."""
    with (
        tempfile.TemporaryDirectory(prefix="callfold-", ignore_cleanup_errors=True) as folder,
        kafka_server(_GROUP_WAIT_MS) as kafka,
        mongo_server() as mongo,
        MongoClient[dict[str, Any]](mongo.uri) as client,
    ):
        yield Stage(kafka, mongo, Path(folder), client)


def run_program(
    measure: Callable[[Stage, argparse.Namespace], Awaitable[int]],
    description: str | None,
    **options: tuple[float, str],
) -> NoReturn:
    """Run one of the single programs on servers of its own; `options` are its arguments: default and help.

    The program's exit status is what `measure` returns.
    """
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, (default, text) in options.items():
        parser.add_argument(f"--{name}", type=type(default), default=default, help=f"{text} [%(default)s]")
    chosen = parser.parse_args()

    async def run() -> int:
        async with stage() as servers:
            return await measure(servers, chosen)

    sys.exit(asyncio.run(run()))


def producer(bootstrap: str, linger_ms: int, **settings: object) -> Producer:
    """Return a producer with the partitioner of Java's clients."""
    options = {"bootstrap.servers": bootstrap, "partitioner": "murmur2_random", "linger.ms": linger_ms, **settings}
    return Producer(options)


def publish(bootstrap: str, messages: Iterable[Message]) -> None:
    """Publish as fast as possible; return when the broker has everything."""
    large = {"batch.size": 262_144, "queue.buffering.max.messages": 500_000}
    sender = producer(bootstrap, 50, **large)
    for topic, key, value in messages:
        while True:
            try:
                sender.produce(topic, value, key)
                break
            except BufferError:
                sender.poll(0.1)
    if sender.flush(120.0):
        raise RuntimeError("the broker did not accept all events")


def cpu_seconds(pid: int) -> float:
    """Return the CPU time of a process and its children, ended ones included."""
    process = psutil.Process(pid)
    times = [each.cpu_times() for each in (process, *process.children(recursive=True))]
    return sum(each.user + each.system + each.children_user + each.children_system for each in times)


def peak_megabytes(pid: int) -> float:
    """Return the most resident memory that a process ever had, as Linux counts it."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii", errors="replace")
    line = next(line for line in status.splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) / 1024


class CpuTime:
    """The CPU time that processes use from now on."""

    def __init__(self, **pids: int) -> None:
        self._before = {name: (pid, cpu_seconds(pid)) for name, pid in pids.items()}

    def seconds(self) -> dict[str, float]:
        return {name: cpu_seconds(pid) - before for name, (pid, before) in self._before.items()}


class BytesWritten:
    """What mongod writes to its disk from now on, in bytes: data files, oplog included, and journal.

    Both are WiredTiger's own counters. They count what is written after compression, in containers too, and neither
    sockets nor the page cache, as the counters of /proc do. Data files are written by checkpoints: one is made before
    each reading, so that nothing of an earlier pipeline counts and all of this one does. To be read before the database
    is dropped: what was not written by then never is. What a peer keeps elsewhere is not counted, as Kafka Streams'
    events in RocksDB and in a changelog on the broker.
    """

    def __init__(self, client: MongoClient[dict[str, Any]]) -> None:
        self._client = client
        self._before = self._counted()

    def total(self) -> int:
        return self._counted() - self._before

    def _counted(self) -> int:
        self._client.admin.command("fsync")
        counters = self._client.admin.command("serverStatus")["wiredTiger"]
        return int(counters["block-manager"]["bytes written"]) + int(counters["log"]["log bytes written"])


async def until(holds: Callable[[], Any], within: float, every: float = 0.1) -> None:
    """Return when `holds()` is true, which runs in a thread.

    Raises:
        TimeoutError: it was not true within so many seconds.
    """
    async with asyncio.timeout(within):
        while not await asyncio.to_thread(holds):  # noqa: ASYNC110 - another process makes it true
            await asyncio.sleep(every)


async def settle(idle_percent: float = 25.0, longest: float = 30.0) -> None:
    """Wait until the servers have finished what the last measurement left: flushes, compactions, closed clients."""
    deadline, busy = time.monotonic() + longest, 100.0
    while busy > idle_percent and time.monotonic() < deadline:
        psutil.cpu_percent()
        await asyncio.sleep(2.0)
        busy = psutil.cpu_percent()
