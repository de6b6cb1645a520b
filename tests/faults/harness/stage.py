"""The system under test: a broker and a replica set behind proxies, workers, and the API."""

import random
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass, field
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

DATABASE = "faults"
TOPICS = Topics("faults")


@dataclass(slots=True)
class Stage:
    """Everything that runs; `produced` are the accepted events of faults that publish."""

    folder: Path
    kafka: ProxiedKafka
    mongo: ReplicaSet
    reader: ApiReader
    connection: Connection
    say: Say
    running: ExitStack
    produced: list[Json] = field(default_factory=list)
    crew: Crew = field(init=False)

    def __post_init__(self) -> None:
        self.crew = Crew(self.worker, self.say)

    def worker(self, topics: Topics = TOPICS) -> WorkerProcess:
        """Make a worker that connects through the proxies, and ends with the stage at the latest.

        Its batches are small, so that faults hit it during its work.
        """
        where = (self.kafka.address_for_workers, self.mongo.uri, topics, DATABASE, self.folder)
        worker = WorkerProcess(*where, partitions=PARTITIONS, batch_events=500)
        self.running.push(worker)
        return worker


@asynccontextmanager
async def staged(say: Say) -> AsyncIterator[Stage]:
    """Start the servers and the API; stop everything in the end."""
    install(say)
    with (
        tempfile.TemporaryDirectory(prefix="callfold-faults-", ignore_cleanup_errors=True) as name,
        ExitStack() as running,
    ):
        folder = Path(name)
        mongo = running.enter_context(ReplicaSet(folder))
        kafka = running.enter_context(ProxiedKafka(folder / "kafka", free_port()))
        api = running.enter_context(ApiServer(folder / "api", mongo.uri, DATABASE))
        await _declare(kafka, TOPICS)
        connection = Connection(MongoAccess(mongo.uri), DATABASE)
        reader = await ApiReader.with_keys(api.port, connection, ORGANIZATIONS)
        try:
            yield Stage(folder, kafka, mongo, reader, connection, say, running)
        finally:
            await reader.close()
            await connection.close()


Fault = Callable[[Stage, random.Random], Awaitable[bool]]
"""Causes the fault, ends it, and returns whether it happened."""


async def _declare(kafka: ProxiedKafka, topics: Topics) -> None:
    access, wanted = KafkaAccess(kafka.address), Wanted(PARTITIONS, 1)
    await retry_until_available("kafka", lambda: declare(access, topics, wanted), KafkaUnavailable)
