"""The part `read`: in each round the same calls are asked for of everybody, one after the other."""

import os
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import cast

from benchmarks.calls import Workload
from benchmarks.plan import Plan
from benchmarks.read.growing import Growing
from benchmarks.read.library import Shelf
from benchmarks.read.limits import Job, limit
from benchmarks.read.servers import DrivenApi, Tutorial, check, ours, theirs
from benchmarks.read.wrk import Question, Rate, ask, find_wrk, write
from benchmarks.samples import Samples
from benchmarks.saying import say
from benchmarks.stage import Stage, peak_megabytes, settle
from shared.config.mongo_access import MongoAccess
from shared.store.mongo.calls import MongoStore
from shared.store.mongo.client import Connection, Driver

NAME = "read"
SECONDS = 3
CONNECTIONS = (1, 16, 64)

FINAL = (
    Shelf("final 5 KB", Workload(19, 100), 1_000),
    Shelf("final 25 KB", Workload(57, 100), 2_000),
    Shelf("final 250 KB", Workload(530, 20), 3_000),
)
LIVE = (
    Shelf("live, 100 events", Workload(100, 100, ended=False), 4_000),
    Shelf("live, 3,000 events", Workload(3_000, 8, ended=False), 5_000),
)
"""Calls that go on: more than the API remembers, so that whoever asks for one in turn is its first reader."""

_REMEMBERED = 1
"""Of the long ones so many are asked for again and again, with nothing new to tell: only what is remembered."""

UNCHANGED = "If-None-Match, 25 KB"
_HEADLINE, _LONG = FINAL[1], LIVE[1]

Measure = Callable[[], Awaitable[Rate]]


@dataclass
class Bench:
    """What is asked, and of whom."""

    stage: Stage
    database: str
    driver: Driver
    api: DrivenApi
    tutorial: Tutorial
    connection: Connection
    store: MongoStore
    cells: dict[tuple[str, str], Measure] = field(default_factory=dict)

    def asking(self, case: str, subject: str, address: str, questions: Sequence[Question], connections: int) -> None:
        """Add the measure of somebody who is asked over HTTP."""
        path = write(questions, self.stage.folder / self.stage.name("questions"))
        self.cells[_case(case, connections), subject] = lambda: ask(address, path, connections, SECONDS)

    def limiting(self, case: str, subject: str, calls: Sequence[str], tasks: int, *, log: bool) -> None:
        """Add the measure of what takes least."""
        uri, seconds = self.stage.mongo.uri, float(SECONDS)
        job = Job(uri, self.database, self.driver, list(calls), log=log, tasks=tasks, seconds=seconds)
        self.cells[_case(case, tasks), subject] = lambda: limit(job)

    def growing(self, case: str, call: str, question: Question) -> None:
        """Add the measure of a reader of a call that grows, from round to round."""
        growing = Growing(self.store, call)
        self.cells[_case(case, 1), "callfold"] = lambda: growing.read(self.api.address, question, SECONDS)


async def measure(stage: Stage, samples: Samples, plan: Plan) -> None:
    """Store the calls, check every answer once, then measure round by round."""
    find_wrk()
    async with _bench(stage) as bench:
        await _prepare(bench, quick=plan.quick)
        for number in range(plan.rounds):
            await settle(longest=10.0)
            for (case, subject), measured in bench.cells.items():
                rate = await measured()
                samples.add(NAME, case, subject, number, **rate.measures())
                say(f"{case}, {subject}: {rate.requests_per_second:,.0f}/s, p50 {rate.p50_ms:.1f} ms")
            for server in (bench.api, bench.tutorial):
                samples.add(NAME, "all of it", _SUBJECTS[server.name], number, peak_mb=peak_megabytes(server.pid))


_SUBJECTS = {DrivenApi.name: "callfold", Tutorial.name: "tutorial"}


def _case(name: str, connections: int) -> str:
    return f"{name}, {connections} connection{'s' if connections > 1 else ''}"


@asynccontextmanager
async def _bench(stage: Stage) -> AsyncIterator[Bench]:
    database = stage.name("read")
    driver = cast(Driver, os.environ.get("CALLFOLD_MONGO_DRIVER", "motor"))
    with (
        DrivenApi(stage.folder / "api", stage.mongo.uri, database, driver) as api,
        Tutorial(stage.folder / "tutorial", stage.mongo.uri, f"{database}-tutorial", driver) as tutorial,
    ):
        connection = Connection(MongoAccess(stage.mongo.uri), database)
        yield Bench(stage, database, driver, api, tutorial, connection, MongoStore(connection))
        await connection.close()
    stage.client.drop_database(database)
    stage.client.drop_database(f"{database}-tutorial")


async def _prepare(bench: Bench, *, quick: bool) -> None:
    await bench.store.prepare()
    for shelf in (_HEADLINE,) if quick else FINAL:
        await shelf.fill(bench.store)
        await _final(bench, shelf, (16,) if quick else CONNECTIONS)
    for shelf in (_LONG,) if quick else LIVE:
        await shelf.fill(bench.store)
        await _live(bench, shelf, (1,) if quick else CONNECTIONS)


async def _final(bench: Bench, shelf: Shelf, connections: Sequence[int]) -> None:
    records = shelf.records()
    bench.stage.database(f"{bench.database}-tutorial").calls.insert_many(
        {"_id": call.split("/")[1], **record} for call, record in records.items()
    )
    asked, asked_of_them = await ours(bench.connection, records), theirs(records)
    tags = await check(bench.api.address, asked, records.values())
    await check(bench.tutorial.address, asked_of_them, records.values())
    for number in connections:
        bench.asking(shelf.name, "callfold", bench.api.address, asked, number)
        bench.asking(shelf.name, "tutorial", bench.tutorial.address, asked_of_them, number)
        bench.limiting(shelf.name, "find_one alone", list(records), number, log=False)
        if shelf is _HEADLINE:
            nothing = [Question("/empty", {})]
            bench.asking(shelf.name, "FastAPI, empty answer", bench.tutorial.address, nothing, number)
            if connections == CONNECTIONS:
                known = [_knowing(question, tag) for question, tag in zip(asked, tags, strict=True)]
                bench.asking(UNCHANGED, "callfold", bench.api.address, known, number)


def _knowing(question: Question, tag: str) -> Question:
    return replace(question, headers={**question.headers, "If-None-Match": tag})


async def _live(bench: Bench, shelf: Shelf, connections: Sequence[int]) -> None:
    records = shelf.records()
    asked = await ours(bench.connection, records)
    await check(bench.api.address, asked, records.values())
    for number in connections:
        bench.asking(shelf.name, "callfold", bench.api.address, asked, number)
    bench.limiting(shelf.name, "log read and parsed alone", list(records), 1, log=True)
    if shelf is _LONG:
        again = asked[:_REMEMBERED]
        bench.asking(f"{shelf.name}, remembered and unchanged", "callfold", bench.api.address, again, 1)
        bench.growing(f"{shelf.name}, remembered, a burst between readers", list(records)[-1], asked[-1])
