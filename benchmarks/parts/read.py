"""The part `read`: `GET /api/calls/{callId}`; in each round every server is asked for the same calls in turn.

Every answer is compared with the reference implementation before anything is measured.
"""

import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import httpx

from benchmarks.load.calls import Workload
from benchmarks.load.wrk import Get, Rate, send, write
from benchmarks.parts.draining import Program
from benchmarks.parts.read_calls import GrowingCall, Kind
from benchmarks.peers.fastapi_tutorial import MONGO_DATABASE, MONGO_DRIVER, MONGO_URI
from benchmarks.peers.read_limit import Job, limit
from benchmarks.run import DRIVER
from benchmarks.samples import Samples
from benchmarks.stage import Documents, Plan, Stage, peak_megabytes, settle
from deploy.local.ports import free_port
from shared.store.mongo.calls import MongoStore
from shared.store.mongo.client import Connection, Driver
from tests.support.api.server import ApiServer
from tests.support.events.makers import Json

NAME = "read"

_SECONDS = 3
_CONNECTIONS = (1, 16)
_FINAL = (
    Kind("final 5 KB", Workload(19, 100), 1_000),
    Kind("final 25 KB", Workload(57, 100), 2_000),
    Kind("final 250 KB", Workload(530, 20), 3_000),
)
# More than the API's cache holds, so that each read in turn is the first of its call.
_LIVE = (
    Kind("live, 100 events", Workload(100, 100, ended=False), 4_000),
    Kind("live, 3,000 events", Workload(3_000, 8, ended=False), 5_000),
)
_HEADLINE, _LONG = _FINAL[1], _LIVE[1]

Measure = Callable[[], Awaitable[Rate]]


class Tutorial(Program):
    """The tutorial's program under uvicorn, without a log line for each request."""

    def __init__(self, folder: Path, mongo_uri: str, database: str, driver: Driver) -> None:
        super().__init__(folder, [], free_port())
        self._settings = {MONGO_URI: mongo_uri, MONGO_DATABASE: database, MONGO_DRIVER: driver}

    def command(self) -> list[str]:
        program = ["benchmarks.peers.fastapi_tutorial:app", "--port", str(self.port), "--no-access-log"]
        return [sys.executable, "-m", "uvicorn", *program]

    def environment(self) -> dict[str, str]:
        return {**super().environment(), **self._settings}

    def lacks(self) -> str | None:
        try:
            return None if httpx.get(f"http://{self.address}/empty", trust_env=False).is_success else "an error"
        except httpx.HTTPError as error:
            return f"{type(error).__name__} at {self.address}"


@dataclass
class Reading:
    """The servers, and the measure of each case and subject."""

    stage: Stage
    database: str
    tutorial_database: Documents
    driver: Driver
    api: ApiServer
    tutorial: Tutorial
    connection: Connection
    store: MongoStore
    cells: dict[tuple[str, str], Measure] = field(default_factory=dict)

    def add(self, case: str, subject: str, address: str, requests: Sequence[Get], connections: int) -> None:
        path = write(requests, self.stage.folder / self.stage.name("requests"))
        self.cells[_case(case, connections), subject] = lambda: send(address, path, connections, _SECONDS)

    def add_limit(self, case: str, subject: str, calls: Sequence[str], tasks: int, *, log: bool) -> None:
        uri, seconds = self.stage.mongo.uri, float(_SECONDS)
        job = Job(uri, self.database, self.driver, list(calls), log=log, tasks=tasks, seconds=seconds)
        self.cells[_case(case, tasks), subject] = lambda: limit(job)


def _case(name: str, connections: int) -> str:
    return f"{name}, {connections} connection{'s' if connections > 1 else ''}"


async def measure(stage: Stage, samples: Samples, plan: Plan) -> None:
    async with _servers(stage) as reading:
        for final in (_HEADLINE,) if plan.quick else _FINAL:
            await _add_final(reading, final, (16,) if plan.quick or final is not _HEADLINE else _CONNECTIONS)
        for live in (_LONG,) if plan.quick else _LIVE:
            await _add_live(reading, live, (1,) if plan.quick or live is not _LONG else _CONNECTIONS)
        for number in range(plan.rounds):
            await settle(longest=10.0)
            for (case, subject), measured in reading.cells.items():
                rate = await measured()
                samples.add(NAME, case, subject, number, **rate._asdict())
            for subject, server in (("callfold", reading.api), ("tutorial", reading.tutorial)):
                samples.add(NAME, "all of it", subject, number, peak_mb=peak_megabytes(server.pid))


@asynccontextmanager
async def _servers(stage: Stage) -> AsyncIterator[Reading]:
    driver = cast(Driver, DRIVER)
    with stage.database("read") as database, stage.database("read-tutorial") as theirs:
        uri = stage.mongo.uri
        with (
            ApiServer(stage.folder / "api", uri, database.name) as api,
            Tutorial(stage.folder / "tutorial", uri, theirs.name, driver) as tutorial,
        ):
            async with stage.connection(database.name) as connection:
                store = MongoStore(connection)
                await store.prepare()
                yield Reading(stage, database.name, theirs, driver, api, tutorial, connection, store)


async def _add_final(reading: Reading, final: Kind, connections: Sequence[int]) -> None:
    await final.fill(reading.store)
    records = final.records()
    documents = ({"_id": call.split("/")[1], **record} for call, record in records.items())
    reading.tutorial_database.calls.insert_many(documents)
    requests = await _requests(reading, records)
    plain = [Get(each.path, {}) for each in requests]
    tags = await _checked(reading.api.address, requests, records.values())
    await _checked(reading.tutorial.address, plain, records.values())
    for number in connections:
        reading.add(final.name, "callfold", reading.api.address, requests, number)
        reading.add(final.name, "tutorial", reading.tutorial.address, plain, number)
        reading.add_limit(final.name, "find_one alone", list(records), number, log=False)
        if final is _HEADLINE:
            reading.add(final.name, "FastAPI, empty answer", reading.tutorial.address, [Get("/empty", {})], number)
            if connections == _CONNECTIONS:
                tagged = zip(requests, tags, strict=True)
                known = [Get(each.path, {**each.headers, "If-None-Match": tag}) for each, tag in tagged]
                reading.add("If-None-Match, 25 KB", "callfold", reading.api.address, known, number)


async def _add_live(reading: Reading, live: Kind, connections: Sequence[int]) -> None:
    await live.fill(reading.store)
    records = live.records()
    requests = await _requests(reading, records)
    await _checked(reading.api.address, requests, records.values())
    for number in connections:
        reading.add(live.name, "callfold", reading.api.address, requests, number)
    reading.add_limit(live.name, "log read and parsed alone", list(records), 1, log=True)
    if live is _LONG:
        # One call again and again: from the cache.
        reading.add(f"{live.name}, remembered and unchanged", "callfold", reading.api.address, requests[:1], 1)
        growing, address = GrowingCall(reading.store, list(records)[-1]), reading.api.address
        case = _case(f"{live.name}, remembered, a burst between readers", 1)
        reading.cells[case, "callfold"] = lambda: growing.read(address, requests[-1], _SECONDS)


async def _requests(reading: Reading, calls: Iterable[str]) -> list[Get]:
    """Return the requests for these calls to the API, with a key of each organization."""
    keys: dict[str, dict[str, str]] = {}
    for organization in {call.split("/")[0] for call in calls}:
        keys[organization] = await reading.stage.key(reading.connection, organization)
    return [Get(f"/api/calls/{name}", keys[whose]) for whose, name in (call.split("/") for call in calls)]


async def _checked(address: str, requests: Iterable[Get], records: Iterable[Json]) -> list[str]:
    """Return the entity tags of the answers, an empty text where there is none.

    Raises:
        AssertionError: an answer is not the record.
    """
    tags = []
    async with httpx.AsyncClient(base_url=f"http://{address}", trust_env=False, timeout=30) as client:
        for request, record in zip(requests, records, strict=True):
            answer = await client.get(request.path, headers=request.headers)
            assert answer.is_success, f"{request.path} at {address}: {answer.status_code}"
            assert answer.json()["data"] == record, f"{request.path} at {address} is not the reference record"
            tags.append(answer.headers.get("ETag", ""))
    return tags
