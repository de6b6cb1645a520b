"""The system under test: a broker and a replica set behind proxies, workers, and the API."""

import random
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from itertools import cycle
from pathlib import Path

from deploy.local.ports import free_port
from deploy.local.servers.install import install
from services.worker.consumer.topic_setup import Wanted, declare
from services.worker.runtime.retry import retry_until_available
from shared.config.mongo_access import MongoAccess
from shared.contract.topics import Topics
from shared.kafka.access import KafkaAccess
from shared.kafka.errors import KafkaUnavailable
from shared.store.mongo.client import Connection
from tests.faults.harness.workers import Crew
from tests.faults.load.calls import ORGANIZATIONS
from tests.faults.load.workload import PARTITIONS
from tests.support.api.server import ApiReader, ApiServer
from tests.support.events.makers import Json
from tests.support.servers.proxied_kafka import ProxiedKafka
from tests.support.servers.replica_set import ReplicaSet
from tests.support.worker.process import WorkerProcess

Say = Callable[[str], None]

SMALL_BATCH, LARGE_BATCH = 500, 5_000
"""The limits of batches: of small ones, so that faults hit workers during their work, and the usual one."""


@dataclass(frozen=True, slots=True)
class Servers:
    """A broker and a replica set, and a folder for their files; several runs may use them, each with its own names."""

    folder: Path
    kafka: ProxiedKafka
    mongo: ReplicaSet


@dataclass(slots=True)
class Stage:
    """Everything that runs; `produced` are the accepted events of faults that publish.

    `folder` has the logs of workers and API. Topics, group and database have the same `topics.prefix`.
    """

    folder: Path
    kafka: ProxiedKafka
    mongo: ReplicaSet
    topics: Topics
    api_port: int
    reader: ApiReader
    connection: Connection
    say: Say
    running: ExitStack
    produced: list[Json] = field(default_factory=list)
    crew: Crew = field(init=False)
    _batch_events: Iterator[int] = field(default_factory=lambda: cycle((SMALL_BATCH, LARGE_BATCH)))

    def __post_init__(self) -> None:
        self.crew = Crew(lambda batch_events: self.worker(batch_events=batch_events), self.say)

    def worker(self, topics: Topics | None = None, batch_events: int | None = None) -> WorkerProcess:
        """Make a worker that connects through the proxies, and ends with the stage at the latest.

        Of those whose limit of a batch is not given every other one has the small one.
        """
        where = (self.kafka.address_for_workers, self.mongo.uri, topics or self.topics, self.topics.prefix, self.folder)
        worker = WorkerProcess(*where, partitions=PARTITIONS, batch_events=batch_events or next(self._batch_events))
        self.running.push(worker)
        return worker


@contextmanager
def servers(say: Say) -> Iterator[Servers]:
    """Start a broker and a replica set; stop them in the end."""
    install(say)
    with (
        tempfile.TemporaryDirectory(prefix="callfold-faults-", ignore_cleanup_errors=True) as name,
        ReplicaSet(Path(name)) as mongo,
        ProxiedKafka(Path(name) / "kafka", free_port()) as kafka,
    ):
        yield Servers(Path(name), kafka, mongo)


@asynccontextmanager
async def staged(on: Servers, name: str, say: Say) -> AsyncIterator[Stage]:
    """Make topics and a database of this name, and start the API; stop everything but the servers in the end."""
    folder, topics = on.folder / name, Topics(name)
    folder.mkdir()
    with ExitStack() as running:
        api = running.enter_context(ApiServer(folder / "api", on.mongo.uri, name))
        await _declare(on.kafka, topics)
        connection = Connection(MongoAccess(on.mongo.uri), name)
        reader = await ApiReader.with_keys(api.port, connection, ORGANIZATIONS)
        try:
            yield Stage(folder, on.kafka, on.mongo, topics, api.port, reader, connection, say, running)
        finally:
            await reader.close()
            await connection.close()


Fault = Callable[[Stage, random.Random], Awaitable[bool]]
"""Causes the fault, ends it, and returns whether it happened."""


async def _declare(kafka: ProxiedKafka, topics: Topics) -> None:
    access, wanted = KafkaAccess(kafka.address), Wanted(PARTITIONS, 1)
    await retry_until_available("kafka", lambda: declare(access, topics, wanted), KafkaUnavailable)
