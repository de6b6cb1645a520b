"""Our own pipeline: done when every record is final and equals the reference fold."""

import asyncio
import time
from collections.abc import Sequence
from contextlib import ExitStack

import orjson

from shared.topics import Topics
from tests.benchmarks.calls import Workload
from tests.benchmarks.ingest.draining import Drained, first_document
from tests.benchmarks.stage import Consumed, Documents, Stage, peak_megabytes
from tests.support.worker import WorkerProcess

_LOOK_SECONDS = 0.25
_READ = 200

PRODUCTION = {"session_seconds": 30, "commit_seconds": 1, "claim_seconds": 60, "poll_seconds": 5}
"""The worker's defaults, which tests shorten."""


def workers(stage: Stage, topics: Topics, database: str, number: int, partitions: int) -> list[WorkerProcess]:
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
            **PRODUCTION,
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
    database = stage.database(name)
    with ExitStack() as running:
        crew = workers(stage, topics, name, number, partitions)
        consumed = Consumed(**stage.servers())
        for each in crew:
            running.push(each)
            each.start()
        own = Consumed(**{f"pipeline_{place}": each.pid for place, each in enumerate(crew)})
        began = await first_document(database["call_events"])
        ended = await _all_right(database, workload)
        cpu = consumed.seconds() | own.seconds()
        peak = max(peak_megabytes(each.pid) for each in crew)
    stage.client.drop_database(name)
    return Drained(workload.total, ended - began, cpu, peak)


async def _all_right(database: Documents, workload: Workload) -> float:
    """Return when the last fold was stored after which all records are right."""
    while True:
        await _all_final(database, workload.calls)
        wrong = await asyncio.to_thread(_wrong, database, workload)
        if not database.calls.find_one({"open": True}, {"_id": 1}):
            assert not wrong, f"{len(wrong)} records differ from the reference fold: {wrong[:3]}"
            return _last_fold(database)


async def _all_final(database: Documents, calls: int, within: float = 600.0) -> None:
    deadline = time.monotonic() + within
    # Both looks cost the server next to nothing: a count that it has anyway, and a partial index.
    while database.calls.estimated_document_count() < calls or database.calls.find_one({"open": True}, {"_id": 1}):
        assert time.monotonic() < deadline, "the backlog is not drained"
        await asyncio.sleep(_LOOK_SECONDS)


def _wrong(database: Documents, workload: Workload) -> Sequence[str]:
    wrong = []
    for first in range(0, workload.calls, _READ):
        wanted = dict(map(workload.expected, range(first, min(first + _READ, workload.calls))))
        found = {
            each["_id"]: orjson.loads(each["body"])
            for each in database.calls.find({"_id": {"$in": list(wanted)}}, {"body": 1})
        }
        wrong += [key for key, record in wanted.items() if found.get(key) != record]
    return wrong


def _last_fold(database: Documents) -> float:
    (found,) = database.calls.aggregate([{"$group": {"_id": None, "at": {"$max": {"$toLong": "$folded_at"}}}}])
    seconds: float = found["at"] / 1000
    return seconds
