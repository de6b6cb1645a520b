"""Topics, a database and workers of one run's own: runs that mostly wait go on at the same time on the same servers."""

from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path

from aiokafka.errors import GroupCoordinatorNotAvailableError

from services.worker.consumer.topic_setup import Wanted, declare
from services.worker.runtime.retry import retry_until_available
from shared.config.mongo_access import MongoAccess
from shared.contract.topics import Topics
from shared.kafka.access import KafkaAccess
from shared.kafka.errors import KafkaUnavailable
from shared.store.mongo.calls import MongoStore
from shared.store.mongo.client import Connection
from tests.support.servers.kafka import lag
from tests.support.worker.process import WorkerProcess

PARTITIONS = 3


class Place:
    """Where one run takes place."""

    def __init__(self, kafka: str, mongo_uri: str, topics: Topics, folder: Path) -> None:
        self.kafka = kafka
        self.topics = topics
        self.folder = folder
        self.connection = Connection(MongoAccess(mongo_uri), topics.prefix)
        self.store = MongoStore(self.connection)
        self._servers = (kafka, mongo_uri, topics, topics.prefix, folder)
        self._running = ExitStack()

    def worker(self, program: str = "services.worker", **variables: str) -> WorkerProcess:
        """Start a worker, or a program that is one, with these variables; it does not outlive the run."""
        worker = WorkerProcess(*self._servers).running(program, **variables)
        self._running.push(worker)
        return worker.start()

    async def committed(self) -> bool:
        """Return whether every record is committed."""
        try:
            return await lag(self.kafka, self.topics.prefix, self.topics) == 0
        except GroupCoordinatorNotAvailableError:  # a new broker without groups
            return False

    async def prepare(self) -> None:
        wanted = Wanted(PARTITIONS, 1)
        await retry_until_available(
            "kafka", lambda: declare(KafkaAccess(self.kafka), self.topics, wanted), KafkaUnavailable
        )
        await self.store.prepare()

    async def close(self) -> None:
        self._running.close()
        await self.connection.drop()
        await self.connection.close()


@asynccontextmanager
async def place(kafka: str, mongo_uri: str, topics: Topics, folder: Path) -> AsyncIterator[Place]:
    """Make the topics; drop the database afterwards."""
    made = Place(kafka, mongo_uri, topics, folder)
    try:
        await made.prepare()
        yield made
    finally:
        await made.close()
