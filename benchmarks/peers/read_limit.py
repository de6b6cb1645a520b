"""The limits of reading: `find_one` of the text that is served, and the log read and parsed.

A program of its own, `python -m benchmarks.peers.read_limit`, which reads its `Job` from standard input as JSON.
"""

import asyncio
import itertools
import sys
import time
from asyncio.subprocess import PIPE
from pathlib import Path
from typing import Any, NamedTuple

import orjson
import uvloop
import zstandard

from benchmarks.load.wrk import Rate
from shared.config.mongo_access import MongoAccess
from shared.store.mongo.calls import MongoStore
from shared.store.mongo.client import Connection, Driver

_ROOT = Path(__file__).parents[2]


class Job(NamedTuple):
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
    written, _ = await program.communicate(orjson.dumps(list(job)))
    return Rate(*orjson.loads(written))


async def _run(job: Job) -> Rate:
    connection = Connection(MongoAccess(job.mongo_uri), job.database, driver=job.driver)
    stored, store = connection.collection("calls"), MongoStore(connection)
    calls = itertools.cycle(job.calls)
    times: list[float] = []

    async def read(call: str) -> Any:
        if not job.log:
            found = await stored.find_one({"_id": call}, {"body": 1})
            return zstandard.decompress(found["body"])
        documents = (await store.read([call]))[call]
        return [orjson.loads(event) for document in documents for event in document.events]

    async def read_all() -> None:
        while (asked := time.perf_counter()) < began + job.seconds:
            await read(next(calls))
            times.append(time.perf_counter() - asked)

    await asyncio.gather(*(read(next(calls)) for _ in range(job.tasks)))  # connects
    began = time.perf_counter()
    await asyncio.gather(*(read_all() for _ in range(job.tasks)))
    rate = Rate.of(times, time.perf_counter() - began)
    await connection.close()
    return rate


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        rate = runner.run(_run(Job(*orjson.loads(sys.stdin.buffer.read()))))
        sys.stdout.buffer.write(orjson.dumps(list(rate)))
