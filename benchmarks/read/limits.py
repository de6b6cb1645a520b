"""What takes least, alone in a process: `find_one` of the text that is served, and the log read and parsed.

A program of its own, `python -m benchmarks.read.limits`, told on its standard input what to do.
"""

import asyncio
import itertools
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import quantiles
from typing import Any

import orjson
import uvloop

from benchmarks.read.wrk import Rate
from shared.config.mongo_access import MongoAccess
from shared.store.mongo.calls import MongoStore
from shared.store.mongo.client import Connection, Driver

_ROOT = Path(__file__).parents[2]
_PERCENT = 100


@dataclass(frozen=True, slots=True)
class Job:
    """So many `tasks` ask for these `calls` in turn for so long: for the stored text, or for the log."""

    mongo_uri: str
    database: str
    driver: Driver
    calls: list[str]
    log: bool
    tasks: int
    seconds: float


async def limit(job: Job) -> Rate:
    """Run the job in a process of its own."""
    running = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "benchmarks.read.limits"),
        cwd=_ROOT,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    written, _ = await running.communicate(orjson.dumps(asdict(job)))
    return Rate(**orjson.loads(written))


async def _run(job: Job) -> Rate:
    connection = Connection(MongoAccess(job.mongo_uri), job.database, driver=job.driver)
    read = _parsing(MongoStore(connection)) if job.log else _finding(connection.collection("calls"))
    calls = itertools.cycle(job.calls)
    took: list[float] = []
    await asyncio.gather(*(read(next(calls)) for _ in range(job.tasks)))  # connects
    began = time.perf_counter()

    async def ask() -> None:
        while (asked := time.perf_counter()) < began + job.seconds:
            await read(next(calls))
            took.append(time.perf_counter() - asked)

    await asyncio.gather(*(ask() for _ in range(job.tasks)))
    ranked = quantiles(took, n=_PERCENT)
    rate = Rate(len(took) / (time.perf_counter() - began), 1000 * ranked[49], 1000 * ranked[98])
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
        sys.stdout.buffer.write(orjson.dumps(asdict(runner.run(_run(Job(**orjson.loads(sys.stdin.buffer.read())))))))
