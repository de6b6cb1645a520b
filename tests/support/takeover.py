"""One worker dies, another takes over: what is right in the end is told by the reference fold alone."""

from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from aiokafka.errors import GroupCoordinatorNotAvailableError

from services.worker.declare import KafkaUnavailable, Wanted, declare
from services.worker.waiting import patiently
from shared.kafka_access import KafkaAccess
from shared.reading import CallBroken, Finality
from shared.store.driver import Connection
from shared.store.log import call_key
from shared.store.mongo import MongoStore
from shared.store.states import State
from shared.topics import Topics
from tests.support.eventually import eventually, eventually_async
from tests.support.kafka import lag, message, records, send
from tests.support.makers import Json
from tests.support.memory_worker import MemoryWorker
from tests.support.records import expected, read
from tests.support.takeover_load import OPTED_OUT, POISON, SAID, earlier, later, poison
from tests.support.worker import WorkerProcess

PARTITIONS = 3
_WITHIN = 120.0


@dataclass(frozen=True)
class Verdict:
    """What is wrong when nothing is left to do: calls by their keys, and what was lost or added in the dead letters."""

    wrong_records: frozenset[str] = frozenset()
    raw_though_opted_out: frozenset[str] = frozenset()
    wrong_letters: frozenset[bytes] = frozenset()


ALL_RIGHT = Verdict()


class Takeover:
    """A load that is published before the first worker starts, for a second one to finish."""

    def __init__(self, kafka: str, mongo_uri: str, topics: Topics, folder: Path) -> None:
        self._kafka = kafka
        self._topics = topics
        self._connection = Connection(mongo_uri, topics.prefix)
        self._store = MongoStore(self._connection)
        self._servers = (kafka, mongo_uri, topics, topics.prefix, folder)
        self._bodies: list[Json] = []
        self._running = ExitStack()

    async def prepare(self) -> None:
        """Publish calls that are folded, though never committed, then what is new, and what is no event."""
        await patiently("kafka", lambda: declare(KafkaAccess(self._kafka), self._topics, _WANTED), KafkaUnavailable)
        await self._store.prepare()
        first, then = earlier(), later()
        self._bodies = first + then
        await send(self._kafka, [message(body, self._topics) for body in first])
        process = MemoryWorker(store=self._store, partitions=PARTITIONS)
        for topic in self._topics.inputs:
            await process.bring(await records(self._kafka, topic))
        await process.rest()
        await send(self._kafka, [*(message(body, self._topics) for body in then), *poison(self._topics)])

    def worker(self) -> WorkerProcess:
        """Return a worker, not started; it does not outlive the takeover."""
        worker = WorkerProcess(*self._servers)
        self._running.push(worker)
        return worker

    async def finished(self) -> Verdict:
        """Return the verdict on what an ordinary worker makes of it."""
        self.worker().start()
        await eventually_async(self._quiet, within=_WITHIN)
        wrong = [call for call, record in expected(self._bodies).items() if not await self._right(call, record)]
        raw = [call for call in map(_key, OPTED_OUT) if await self._raw(call)]
        letters = {letter.value for letter in await records(self._kafka, self._topics.dead_letter)}
        return Verdict(frozenset(wrong), frozenset(raw), frozenset(letters ^ set(POISON)))

    async def committed(self) -> bool:
        """Tell whether every record is acknowledged."""
        try:
            return await lag(self._kafka, self._topics.prefix, self._topics) == 0
        except GroupCoordinatorNotAvailableError:  # a new broker, which has not heard of any group yet
            return False

    async def close(self) -> None:
        """End the workers, drop the database."""
        self._running.close()
        await self._connection.drop()
        await self._connection.close()

    async def _quiet(self) -> bool:
        """Tell whether there is nothing left to do; what a batch marks is there before it is committed."""
        return not await self._open_calls() and await self.committed() and not await self._open_calls()

    async def _open_calls(self) -> int:
        waiting = {"state": {"$in": [State.STALE, State.FOLDING]}}
        count: int = await self._connection.collection("calls").count_documents(waiting)
        return count

    async def _right(self, call: str, record: Json) -> bool:
        try:
            return await read(self._connection, call) == (record, Finality.FINAL)
        except CallBroken:
            return False

    async def _raw(self, call: str) -> bool:
        documents = (await self._store.read([call]))[call]
        return any(not each.redacted_at or SAID.encode() in b"".join(each.events) for each in documents)


_WANTED = Wanted(PARTITIONS, 1)


def _key(call: str) -> str:
    return call_key("org-789", call)


async def died(worker: WorkerProcess) -> int:
    """Return the exit status of a worker that ends by itself."""
    await eventually(worker.ended, within=_WITHIN)
    return worker.wait()


@asynccontextmanager
async def takeover(kafka: str, mongo_uri: str, topics: Topics, folder: Path) -> AsyncIterator[Takeover]:
    """Prepare a takeover, with a database of its own."""
    made = Takeover(kafka, mongo_uri, topics, folder)
    try:
        await made.prepare()
        yield made
    finally:
        await made.close()
