"""Callfold's own workers; a run is complete when every record is final and equals the reference implementation's."""

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import ExitStack, asynccontextmanager
from typing import Self

import orjson
import zstandard

from benchmarks.load.calls import Workload
from benchmarks.parts.checkout import Code
from benchmarks.parts.draining import Drained, beginning, events_in, last_fold
from benchmarks.stage import BytesWritten, CpuTime, Documents, Stage, peak_megabytes, publish, settle, until
from shared.contract.topics import Topics
from tests.support.events.makers import Json
from tests.support.events.records import read
from tests.support.worker.process import WorkerProcess

PRODUCTION = dict.fromkeys(("batch_events", "session_seconds", "commit_seconds", "lease_seconds", "poll_seconds"))
"""What tests shorten is not set: the worker's own defaults, also where it is another commit's."""

_POLL_SECONDS = 0.25
_DRAINED_WITHIN = 600.0
_READ = 200
_STABLE_POLLS = 10
_STABLE_WITHIN = 180.0


def worker(stage: Stage, topics: Topics, database: str, partitions: int, **settings: object) -> WorkerProcess:
    """Return a worker with the settings of production but these; it is not started yet."""
    return stage.worker(topics, database, group=database, partitions=partitions, **(PRODUCTION | settings))


async def drain(
    stage: Stage,
    workload: Workload,
    number: int = 1,
    partitions: int = 12,
    code: Code | None = None,
) -> Drained:
    """Drain the workload with so many workers; `code` runs another commit's.

    Raises:
        AssertionError: a record differs from the reference implementation's.
    """
    topics = await stage.published(workload, partitions)
    with stage.database("callfold") as database, ExitStack() as running:
        written = BytesWritten(stage.client)
        workers = [worker(stage, topics, database.name, partitions) for _ in range(number)]
        if code is not None:
            workers = [each.running("services.worker", code.python, **code.variables) for each in workers]
        for each in workers:
            running.push(each)
            each.start()
        own = {f"pipeline_{place}": each.pid for place, each in enumerate(workers)}
        log = database["call_events"]
        # Only the poll that finds the first documents reads them.
        start = await beginning(
            {**stage.pids(), **own}, lambda: events_in(log) if log.estimated_document_count() else 0
        )
        cpu = await all_right(stage, database, workload, start.cpu)
        peak = max(map(peak_megabytes, own.values()))
        folds = sum(each.metric("callfold_folds_total") for each in workers)
        done = Drained(workload.total - start.events, last_fold(database) - start.at, cpu, peak, folds)
        return done.wrote(written.total(), workload.total)


async def all_right(
    stage: Stage, database: Documents, workload: Workload, cpu: CpuTime, first: int = 0
) -> dict[str, float]:
    """Return the CPU used until all records are final, once they are right.

    Raises:
        AssertionError: no call has to be folded, and a record differs from the reference implementation's.
        TimeoutError: the backlog is not drained.
    """
    while True:
        await all_final(database, workload.calls)
        used = cpu.seconds()  # before the records are read, which costs the server more than a poll
        wrong = await asyncio.to_thread(_wrong, stage, database, workload, first)
        if not _unfinished(database):
            assert not wrong, f"{len(wrong)} records differ from the reference implementation: {wrong[:3]}"
            return used


async def all_final(database: Documents, calls: int) -> None:
    """Return when there are so many calls, and all of them have been folded."""
    # Both queries cost the server next to nothing: a count that it keeps anyway, and a partial index.
    await until(
        lambda: database.calls.estimated_document_count() >= calls and not _unfinished(database),
        _DRAINED_WITHIN,
        _POLL_SECONDS,
    )


def _unfinished(database: Documents) -> bool:
    return database.calls.find_one({"open": True}, {"_id": 1}) is not None


def _wrong(stage: Stage, database: Documents, workload: Workload, first: int) -> Sequence[str]:
    wrong, end = [], first + workload.calls
    for start in range(first, end, _READ):
        wanted = dict(map(workload.expected, range(start, min(start + _READ, end))))
        found = database.calls.find({"_id": {"$in": list(wanted)}}, {"body": 1})
        stored = {each["_id"]: orjson.loads(_text(each["body"])) for each in found if "body" in each}
        for key, record in wanted.items():
            if (stored.get(key) or asyncio.run(_served(stage, database, key))) != record:
                wrong.append(key)
    return wrong


def _text(body: bytes | str) -> bytes | str:
    """Return a record's text as it is stored: a zstd frame, of earlier commits the text itself."""
    return body if isinstance(body, str) else zstandard.decompress(body)


async def _served(stage: Stage, database: Documents, call: str) -> Json | None:
    """Return the record as a reader gets it, of a call whose record does not fit a document."""
    async with stage.connection(database.name) as connection:
        record: Json | None = (await read(connection, call))[0]
        return record


class Group:
    """Workers that are ready before there is a backlog, so that their start and rebalance cost no event anything."""

    def __init__(self, stage: Stage, topics: Topics, database: Documents, partitions: int) -> None:
        self._stage = stage
        self._calls = 0
        self.topics = topics
        self.database = database
        self.partitions = partitions
        self.members: list[WorkerProcess] = []

    @classmethod
    @asynccontextmanager
    async def of(cls, stage: Stage, partitions: int) -> AsyncIterator[Self]:
        """Provide a group without members; its workers and its database go at the end."""
        with stage.database("callfold") as database:
            group = cls(stage, await stage.topics(partitions), database, partitions)
            try:
                yield group
            finally:
                for member in group.members:
                    member.__exit__()

    async def join(self, number: int = 1, **settings: object) -> None:
        """Start so many more workers; return when all have their partitions."""
        for _ in range(number):
            made = worker(self._stage, self.topics, self.database.name, self.partitions, **settings)
            self.members.append(made.start())
        await self.stable()

    async def stable(self) -> None:
        """Return when every worker is ready and every partition assigned, for a second."""
        polls = 0

        def assigned() -> bool:
            nonlocal polls
            polls = polls + 1 if self._assigned() else 0
            return polls >= _STABLE_POLLS

        await until(assigned, _STABLE_WITHIN)

    def _assigned(self) -> bool:
        if not all(member.ready() for member in self.members):
            return False
        held = [member.metric("callfold_assigned_partitions") for member in self.members]
        return min(held) > 0 and sum(held) == self.partitions * len(self.topics.inputs)

    def pids(self) -> dict[str, int]:
        return {f"pipeline_{place}": member.pid for place, member in enumerate(self.members)}

    async def cleared(self, workload: Workload) -> int:
        """Empty the database; return the number of the first call of a workload that is new to the workers."""
        for collection in (self.database.calls, self.database.call_events):
            collection.delete_many({})
        await settle()
        first, self._calls = self._calls, self._calls + workload.calls
        return first

    async def drain(self, workload: Workload) -> Drained:
        """Drain the workload under new call numbers, into an emptied database.

        Raises:
            AssertionError: a record differs from the reference implementation's.
        """
        first = await self.cleared(workload)
        pids = self.pids()
        cpu = CpuTime(**pids, **self._stage.pids())
        began = await publish_to_stopped(self._stage, list(pids.values()), workload, self.topics, first)
        used = await all_right(self._stage, self.database, workload, cpu, first)
        peak = max(map(peak_megabytes, pids.values()))
        return Drained(workload.total, last_fold(self.database) - began, used, peak)


async def publish_to_stopped(
    stage: Stage, pids: Sequence[int], workload: Workload, topics: Topics, first: int
) -> float:
    """Publish a backlog while its consumers are stopped (SIGSTOP); return when they continue (`time.time()`)."""
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        await asyncio.to_thread(publish, stage.kafka.address, workload.messages(topics, first))
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)
    return time.time()
