"""One worker dies, another takes over; the reference implementation gives the expected records."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from shared.calls.read_call import CallBroken, Finality
from shared.contract.ids import call_key
from shared.contract.topics import Topics
from shared.store.states import State
from tests.support.events.makers import Json
from tests.support.events.records import expected, read
from tests.support.eventually import eventually
from tests.support.servers.kafka import message, records, send
from tests.support.servers.namespace import PARTITIONS, Place, place
from tests.support.worker.memory_worker import MemoryWorker
from tests.support.worker.process import WorkerProcess
from tests.support.worker.takeover_load import OPTED_OUT, POISON, SAID, earlier, later, poison

_WITHIN = 300.0


@dataclass(frozen=True)
class Verdict:
    """What is wrong in the end: calls by their keys, and missing or additional dead letters."""

    wrong_records: frozenset[str] = frozenset()
    raw_though_opted_out: frozenset[str] = frozenset()
    wrong_dead_letters: frozenset[bytes] = frozenset()


ALL_RIGHT = Verdict()


class Takeover:
    """A load that is published before the first worker starts, for a second one to finish."""

    def __init__(self, where: Place) -> None:
        self.place = where
        self._first, self._then = earlier(), later()

    async def publish(self) -> None:
        """Publish calls that are folded, though never committed, then what is new, and what is no event."""
        kafka, topics = self.place.kafka, self.place.topics
        await send(kafka, [message(body, topics) for body in self._first])
        process = MemoryWorker(store=self.place.store, partitions=PARTITIONS)
        for topic in topics.inputs:
            await process.bring(await records(kafka, topic))
        await process.rest()
        await send(kafka, [*(message(body, topics) for body in self._then), *poison(topics)])

    async def finished(self) -> Verdict:
        """Return the verdict on what an ordinary worker makes of it."""
        self.place.worker()
        await eventually(self._quiet, within=_WITHIN)
        records_of = expected(self._first + self._then)
        wrong = [call for call, record in records_of.items() if not await self._right(call, record)]
        raw = [call for call in map(_key, OPTED_OUT) if await self._raw(call)]
        dead_letters = {each.value for each in await records(self.place.kafka, self.place.topics.dead_letter)}
        return Verdict(frozenset(wrong), frozenset(raw), frozenset(dead_letters ^ set(POISON)))

    async def _quiet(self) -> bool:
        """Return whether all work is done; a batch marks calls stale before it is committed."""
        return not await self._open_calls() and await self.place.committed() and not await self._open_calls()

    async def _open_calls(self) -> int:
        waiting = {"state": {"$in": [State.STALE, State.FOLDING]}}
        count: int = await self.place.connection.collection("calls").count_documents(waiting)
        return count

    async def _right(self, call: str, record: Json) -> bool:
        try:
            return await read(self.place.connection, call) == (record, Finality.FINAL)
        except CallBroken:
            return False

    async def _raw(self, call: str) -> bool:
        documents = (await self.place.store.read([call]))[call]
        return any(not each.redacted_at or SAID.encode() in b"".join(each.events) for each in documents)


def _key(call: str) -> str:
    return call_key("org-789", call)


async def died(worker: WorkerProcess, status: int) -> None:
    """Return when a worker has ended by itself, with this status; fail with what it said if with another."""
    await eventually(worker.ended, within=_WITHIN)
    assert worker.wait() == status, worker.written()[-3000:]


@asynccontextmanager
async def takeover(kafka: str, mongo_uri: str, topics: Topics, fold_loop: Path) -> AsyncIterator[Takeover]:
    """Prepare a takeover."""
    async with place(kafka, mongo_uri, topics, fold_loop) as where:
        load = Takeover(where)
        await load.publish()
        yield load
