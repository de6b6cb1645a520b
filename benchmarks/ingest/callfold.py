"""Our own pipeline: done when every record is final and equals the reference fold."""

import asyncio
import time
from collections.abc import Sequence
from contextlib import ExitStack

import orjson

from benchmarks.calls import Workload
from benchmarks.ingest.draining import Drained, beginning, database_of_its_own, events_in
from benchmarks.stage import Consumed, Documents, Stage, peak_megabytes
from shared.config.mongo_access import MongoAccess
from shared.contract.topics import Topics
from shared.store.mongo.client import Connection
from tests.support.events.makers import Json
from tests.support.events.records import read
from tests.support.worker.process import WorkerProcess

_LOOK_SECONDS = 0.25
_READ = 200

PRODUCTION = {"session_seconds": 30, "commit_seconds": 1, "lease_seconds": 60, "poll_seconds": 5}
"""The worker's defaults, which tests shorten."""


def workers(
    stage: Stage, topics: Topics, database: str, number: int, partitions: int, **settings: object
) -> list[WorkerProcess]:
    """Return workers of one group that fold the topics into the database; none runs yet."""
    return [
        WorkerProcess(
            stage.kafka.address,
            stage.mongo.uri,
            topics,
            database,
            stage.folder,
            group=database,
            partitions=partitions,
            **(PRODUCTION | settings),
        )
        for _ in range(number)
    ]


async def drain(stage: Stage, workload: Workload, number: int = 1, partitions: int = 12) -> Drained:
    """Drain the workload with so many workers.

    Raises:
        AssertionError: a record differs from the reference fold.
    """
    topics = await stage.published(workload, partitions)
    name = stage.name("callfold")
    with database_of_its_own(stage, name) as database, ExitStack() as running:
        crew = workers(stage, topics, name, number, partitions)
        for each in crew:
            running.push(each)
            each.start()
        own = {f"pipeline_{place}": each.pid for place, each in enumerate(crew)}
        start = await beginning({**stage.servers(), **own}, lambda: _logged(database))
        ended, cpu = await _all_right(stage, database, workload, start.consumed)
        peak = max(peak_megabytes(each.pid) for each in crew)
        return Drained(workload.total - start.events, ended - start.at, cpu, peak)


def _logged(database: Documents) -> int:
    """Return how many events are in the log; the look that finds the first ones alone has to read them."""
    log = database["call_events"]
    return events_in(log) if log.estimated_document_count() else 0


async def _all_right(
    stage: Stage, database: Documents, workload: Workload, consumed: Consumed
) -> tuple[float, dict[str, float]]:
    """Return when the last fold was stored after which all records are right, and the CPU taken till then."""
    while True:
        await all_final(database, workload.calls)
        cpu = consumed.seconds()  # before the records are read, which costs the server more than a look
        if await are_right(stage, database, workload):
            return last_fold(database), cpu


async def are_right(stage: Stage, database: Documents, workload: Workload, first: int = 0) -> bool:
    """Tell whether all records stand as they are: false if a call is to be folded again, or was meanwhile.

    Raises:
        AssertionError: nothing is to be folded, and a record differs from the reference fold.
    """
    numbers = range(first, first + workload.calls)
    wrong = await asyncio.to_thread(_wrong, stage, database, workload, numbers)
    if database.calls.find_one({"open": True}, {"_id": 1}):
        return False
    assert not wrong, f"{len(wrong)} records differ from the reference fold: {wrong[:3]}"
    return True


async def all_final(database: Documents, calls: int, within: float = 600.0) -> None:
    """Return when there are so many calls, and all of them have been folded."""
    deadline = time.monotonic() + within
    # Both looks cost the server next to nothing: a count that it has anyway, and a partial index.
    while database.calls.estimated_document_count() < calls or database.calls.find_one({"open": True}, {"_id": 1}):
        assert time.monotonic() < deadline, "the backlog is not drained"
        await asyncio.sleep(_LOOK_SECONDS)


def _wrong(stage: Stage, database: Documents, workload: Workload, numbers: range) -> Sequence[str]:
    wrong = []
    for start in numbers[::_READ]:
        wanted = dict(map(workload.expected, range(start, min(start + _READ, numbers.stop))))
        found = database.calls.find({"_id": {"$in": list(wanted)}}, {"body": 1})
        stored = {each["_id"]: orjson.loads(each["body"]) for each in found if "body" in each}
        wrong += [key for key, record in wanted.items() if (stored.get(key) or _served(stage, database, key)) != record]
    return wrong


def _served(stage: Stage, database: Documents, call: str) -> Json | None:
    """Return the record as a reader gets it, of a call whose record fits no document."""

    async def served() -> Json | None:
        connection = Connection(MongoAccess(stage.mongo.uri), database.name)
        record: Json | None = (await read(connection, call))[0]
        await connection.close()
        return record

    return asyncio.run(served())


def last_fold(database: Documents) -> float:
    """Return when the last fold was stored (`time.time()`)."""
    (found,) = database.calls.aggregate([{"$group": {"_id": None, "at": {"$max": {"$toLong": "$folded_at"}}}}])
    seconds: float = found["at"] / 1000
    return seconds
