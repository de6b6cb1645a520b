"""The limits of reading: `find_one` of the text that is served, and the log read and parsed.

A program of its own, `python -m benchmarks.peers.read_limit`, which reads its `Job` from standard input as JSON.
"""

import asyncio
import itertools
import sys
import time
from asyncio.subprocess import PIPE
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import orjson
import uvloop

from benchmarks.load.wrk import Rate
from shared.config.mongo_access import MongoAccess
from shared.store.mongo.calls import MongoStore
from shared.store.mongo.client import Connection, Driver

_ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class Job:
    """So many `tasks` read these `calls` in turn for so long: the stored text, or the log."""

    mongo_uri: str
    database: str
    driver: Driver
    calls: list[str]
    log: bool
    tasks: int
    seconds: float


async def limit(job: Job) -> Rate:
    """Run the job in a process of its own."""
    command = [sys.executable, "-m", __name__]
    program = await asyncio.create_subprocess_exec(*command, cwd=_ROOT, stdin=PIPE, stdout=PIPE)
    written, _ = await program.communicate(orjson.dumps(asdict(job)))
    return Rate(**orjson.loads(written))


async def _run(job: Job) -> Rate:
    connection = Connection(MongoAccess(job.mongo_uri), job.database, driver=job.driver)
    read = _parsing(MongoStore(connection)) if job.log else _finding(connection.collection("calls"))
    calls = itertools.cycle(job.calls)
    times: list[float] = []
    await asyncio.gather(*(read(next(calls)) for _ in range(job.tasks)))  # connects
    began = time.perf_counter()

    async def ask() -> None:
        while (asked := time.perf_counter()) < began + job.seconds:
            await read(next(calls))
            times.append(time.perf_counter() - asked)

    await asyncio.gather(*(ask() for _ in range(job.tasks)))
    rate = Rate.of(times, time.perf_counter() - began)
    await connection.close()
    return rate


def _finding(calls: Any) -> Callable[[str], Awaitable[Any]]:
    return lambda call: calls.find_one({"_id": call}, {"body": 1})


def _parsing(store: MongoStore) -> Callable[[str], Awaitable[Any]]:
    async def read(call: str) -> list[Any]:
        documents = (await store.read([call]))[call]
        return [orjson.loads(event) for document in documents for event in document.events]

    return read


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        job = Job(**orjson.loads(sys.stdin.buffer.read()))
        sys.stdout.buffer.write(orjson.dumps(asdict(runner.run(_run(job)))))
