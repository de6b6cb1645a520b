"""The part `fresh`: from produced to readable, at steady rates; both pipelines run, and one at a time has work.

In each phase one process publishes and another asks for what was published: Callfold's API over HTTP with a key, or the
collection that Kafka Connect inserts into.
"""

import asyncio
import os
import sys
from asyncio import create_subprocess_exec
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from itertools import count
from statistics import median, quantiles
from typing import Any

import orjson
import zstandard
from pymongo.collection import Collection

from benchmarks.load import ask_probes, publish_probes
from benchmarks.load.probes import CALLS_A_PHASE, ONGOING, ORGANIZATION, WORKLOAD
from benchmarks.parts.callfold import worker
from benchmarks.parts.draining import events_in
from benchmarks.peers.connect import ConnectWorker
from benchmarks.samples import Samples
from benchmarks.stage import CpuTime, Plan, Stage, settle, until
from shared.contract.topics import Topics
from tests.support.api.server import ApiServer

NAME = "fresh"

_PARTITIONS = 12
_CHECKED = 200
_DRAINED_WITHIN = 60.0


@dataclass(frozen=True)
class Rate:
    """`warm_up`: seconds before anything is measured."""

    per_second: int
    warm_up: float
    seconds: float

    @property
    def name(self) -> str:
        return f"{self.per_second:,} events/s"

    def percent(self, cpu_seconds: float) -> float:
        """Return CPU time as a share of one core."""
        return 100 * cpu_seconds / (self.warm_up + self.seconds)


REHEARSAL = Rate(2_000, 0.0, 3.0)  # Java compiles what it runs, clients connect
QUICK = (Rate(2_000, 1.0, 5.0),)
FULL = (Rate(500, 3.0, 10.0), Rate(2_000, 3.0, 10.0), Rate(5_000, 3.0, 10.0))


@dataclass(frozen=True)
class Subject:
    """A running pipeline; `where` is for `ask_probes`, `stored` counts its events."""

    name: str
    topics: Topics
    where: Mapping[str, Any]
    stored: Callable[[], int]
    pids: Mapping[str, int]


async def measure(stage: Stage, samples: Samples, plan: Plan) -> None:
    firsts = count(0, CALLS_A_PHASE)
    async with AsyncExitStack() as stack:
        subjects = [await stack.enter_async_context(running(stage)) for running in (_callfold, _connect)]
        for subject in subjects:
            await _phase(subject, stage.kafka.address, REHEARSAL, next(firsts))
        for number in range(plan.rounds):
            for rate in QUICK if plan.quick else FULL:
                for subject in subjects if number % 2 else subjects[::-1]:
                    await settle()
                    measured = await _phase(subject, stage.kafka.address, rate, next(firsts))
                    samples.add(NAME, rate.name, subject.name, number, **measured)


@asynccontextmanager
async def _callfold(stage: Stage) -> AsyncIterator[Subject]:
    """Run a worker and an API as in production; check log and records at the end."""
    topics = await stage.topics(_PARTITIONS)
    with stage.database("callfold") as database:
        async with stage.connection(database.name) as connection:
            key = await stage.key(connection, ORGANIZATION)
        folds = worker(stage, topics, database.name, _PARTITIONS)

        def written() -> int:  # counting the log would take longer than it grows
            return int(folds.events())

        with folds, ApiServer(stage.folder / database.name, stage.mongo.uri, database.name) as api:
            where = {"address": api.address, "headers": key}
            yield Subject("callfold", topics, where, written, {"worker": folds.pid, "api": api.pid})
            assert events_in(database["call_events"]) == written(), "the log lacks events that the worker counted"
            await asyncio.to_thread(_check_records, database["calls"])


def _check_records(calls: Collection[dict[str, Any]]) -> None:
    """Compare some records with the reference implementation's, of calls that were published from their beginning."""
    for found in calls.aggregate([{"$match": {"state": "final"}}, {"$sample": {"size": _CHECKED}}]):
        number = int(found["_id"].rpartition("-")[2])
        if number % CALLS_A_PHASE >= ONGOING:
            assert orjson.loads(zstandard.decompress(found["body"])) == WORKLOAD.expected(number)[1], (
                f"{found['_id']} is wrong"
            )


@asynccontextmanager
async def _connect(stage: Stage) -> AsyncIterator[Subject]:
    topics = await stage.topics(_PARTITIONS)
    with stage.database("connect") as database:
        events = database["events"]
        events.create_index("id")  # a reader would need one
        with ConnectWorker(stage, topics, database.name) as connect:
            where = {"mongo": stage.mongo.uri, "database": database.name, "collection": events.name}
            stored, pids = events.estimated_document_count, {"worker": connect.pid}
            yield Subject("Kafka Connect, insert", topics, where, stored, pids)


async def _phase(subject: Subject, bootstrap: str, rate: Rate, first: int) -> dict[str, float]:
    """Publish the calls from number `first` on at this rate; return the measures when everything is stored.

    Raises:
        RuntimeError: a process of the measurement failed.
        TimeoutError: the pipeline did not store everything.
    """
    wanted = subject.stored() + publish_probes.events(rate.per_second, rate.warm_up + rate.seconds)
    used = CpuTime(**subject.pids)
    publisher, asker = await _start(subject, bootstrap, rate, first)
    await _ended(publisher)
    left_behind = wanted - subject.stored()
    cpu = {f"{name}_cpu_percent": rate.percent(seconds) for name, seconds in used.seconds().items()}
    written, _ = await asker.communicate()
    await _ended(asker)
    await until(lambda: subject.stored() >= wanted, _DRAINED_WITHIN)
    answer = orjson.loads(written)
    return measures(answer["readable"]) | {
        "left_behind": left_behind,
        "question_ms": median(answer["requests"]),
        "asking_cpu_percent": rate.percent(answer["cpu_seconds"]),
        **cpu,
    }


def measures(readable: list[float]) -> dict[str, float]:
    ranked = quantiles(readable, n=100, method="inclusive")
    return {"p50_ms": ranked[49], "p99_ms": ranked[98], "max_ms": max(readable)}


async def _start(subject: Subject, bootstrap: str, rate: Rate, first: int) -> tuple[Process, Process]:
    reads, writes = os.pipe()
    environment = {**os.environ, ask_probes.WHERE: orjson.dumps(subject.where).decode()}
    command = (sys.executable, "-m", ask_probes.__name__)
    asker = await create_subprocess_exec(*command, stdin=reads, stdout=PIPE, env=environment)
    os.close(reads)
    assert asker.stdout is not None
    await asker.stdout.readline()  # it is ready: its start adds to no latency
    numbers = map(str, (rate.per_second, first, rate.warm_up, rate.seconds))
    publisher = await create_subprocess_exec(
        *(sys.executable, "-m", publish_probes.__name__, bootstrap, subject.topics.prefix, *numbers), stdout=writes
    )
    os.close(writes)
    return publisher, asker


async def _ended(process: Process) -> None:
    if await process.wait():
        raise RuntimeError("a process of the measurement failed; its error is above")
