"""One run of the benchmark: a part that fails does not affect the others, and no process is left running."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from pymongo import MongoClient

from benchmarks.run import RecordedSamples, run
from benchmarks.samples import Samples
from benchmarks.stage import Plan, Stage
from deploy.local.servers.mongod import MongoServer
from deploy.local.servers.process import Server


@dataclass
class Part:
    """Adds one value, then does what `then` does."""

    NAME: str
    then: Callable[[], Awaitable[None]]

    async def measure(self, stage: Stage, samples: Samples, plan: Plan) -> None:
        samples.add(self.NAME, "case", "callfold", 0, rounds=plan.rounds, mongod=stage.mongo.pid)
        await self.then()


@dataclass
class Servers:
    """The servers of these tests in place of new ones; counts how often they are requested."""

    kafka: Server
    mongo: MongoServer
    folder: Path
    requested: int = field(default=0)

    @asynccontextmanager
    async def __call__(self) -> AsyncIterator[Stage]:
        self.requested += 1
        with MongoClient[dict[str, Any]](self.mongo.uri) as client:
            yield Stage(self.kafka, self.mongo, self.folder, client)


@pytest.fixture
def servers(kafka: Server, mongo: MongoServer, tmp_path: Path) -> Servers:
    return Servers(kafka, mongo, tmp_path)


async def nothing() -> None: ...


async def fails() -> None:
    raise TimeoutError("no document came\nwithin 90 s")


async def waits() -> None:
    await asyncio.Event().wait()


async def test_parts_after_a_failed_one_are_measured_on_new_servers(
    servers: Servers, capsys: pytest.CaptureFixture[str]
) -> None:
    parts = [Part("ingest", fails), Part("read", nothing), Part("long", nothing)]
    samples = Samples()

    await run(parts, Plan(2), samples, servers)

    assert {name: each.failed for name, each in samples.runs.items()} == {
        "ingest": "TimeoutError: no document came",
        "read": "",
        "long": "",
    }
    assert {cell.part for cell in samples.figures()} == {"ingest", "read", "long"}
    assert servers.requested == 2
    assert "within 90 s" in capsys.readouterr().err


async def test_what_was_measured_before_an_interruption_is_on_disk(servers: Servers, tmp_path: Path) -> None:
    samples = RecordedSamples(tmp_path / "samples.json")
    running = asyncio.create_task(run([Part("read", waits)], Plan(), samples, servers))
    while not (tmp_path / "samples.json").exists():  # noqa: ASYNC110 - the task writes it
        await asyncio.sleep(0.01)

    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running

    assert Samples.read(tmp_path / "samples.json").values == samples.values != []
    assert samples.runs["read"].failed == "it was interrupted"


def test_processes_that_still_run_are_ended() -> None:
    script = (
        "import subprocess, sys; from benchmarks.run import end_children;"
        "subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)']);"
        "print(len(end_children()), len(end_children()))"
    )

    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True)

    assert done.stdout == "1 0\n"
