"""The servers and the worker that all clients publish to, one after the other."""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from services.worker.consumer.topic_setup import Wanted, declare
from services.worker.runtime.retry import retry_until_available
from shared.config.mongo_access import MongoAccess
from shared.contract.topics import Topics
from shared.kafka.access import KafkaAccess
from shared.kafka.errors import KafkaUnavailable
from shared.store.mongo.client import Connection
from tests.clients.lag import Ask, by_callfold, by_consumer_groups
from tests.support.events.records import read
from tests.support.servers.servers import kafka_server, mongo_server
from tests.support.worker.process import WorkerProcess

PARTITIONS = 6
TOPICS = Topics("calls")
_DATABASE = "clients"
_MIS_KEYED = "callfold_mis_keyed_events_total"


@dataclass(frozen=True, slots=True)
class Stage:
    """The broker's address, the store, and the two that are asked for what is left."""

    kafka: str
    connection: Connection
    worker: WorkerProcess
    callfold: Ask
    groups: Ask

    async def mis_keyed(self) -> int:
        """Return how many mis-keyed events the worker has counted."""
        return round(await asyncio.to_thread(self.worker.metric, _MIS_KEYED))

    async def differing(self, wanted: Mapping[str, Any], calls: Sequence[str]) -> list[str]:
        """Return which of the calls have another record than the wanted one, or one that nobody wants."""
        found = {call: (await read(self.connection, call))[0] for call in calls}
        return [call for call in calls if found[call] != wanted.get(call)]


@asynccontextmanager
async def stage() -> AsyncIterator[Stage]:
    """Run a broker, a mongod and a worker."""
    with (
        tempfile.TemporaryDirectory(prefix="callfold-", ignore_cleanup_errors=True) as folder,
        kafka_server() as kafka,
        mongo_server() as mongo,
    ):
        await retry_until_available(
            "kafka", lambda: declare(KafkaAccess(kafka.address), TOPICS, Wanted(PARTITIONS, 1)), KafkaUnavailable
        )
        connection = Connection(MongoAccess(mongo.uri), _DATABASE)
        worker = WorkerProcess(kafka.address, mongo.uri, TOPICS, _DATABASE, Path(folder), partitions=PARTITIONS)
        try:
            with worker:
                async with by_consumer_groups(kafka.address, TOPICS.prefix) as groups:
                    await groups()  # Java is slow at first
                    yield Stage(kafka.address, connection, worker, by_callfold(kafka.address, TOPICS), groups)
        finally:
            await connection.close()
