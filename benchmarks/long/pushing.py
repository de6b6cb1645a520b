"""The pipeline that pushes every event onto one document per call, until a document has no room for more."""

import asyncio
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Self

from benchmarks.calls import Workload
from benchmarks.ingest.draining import Drained
from benchmarks.stage import Consumed, Documents, Stage, peak_megabytes, settle
from benchmarks.standing import put_before
from shared.contract.topics import Topics

_LOOK_SECONDS = 0.05
_READY_WITHIN = 30.0
_LARGEST = [{"$group": {"_id": None, "events": {"$max": {"$size": "$events"}}}}]


class Pushing:
    """The program `push`, in a process of its own."""

    def __init__(self, stage: Stage, topics: Topics, name: str) -> None:
        self._stage = stage
        self.topics = topics
        self._said = Path(stage.folder / f"{name}.out")
        self._name = name
        self.database: Documents = stage.database(name)
        self.process = self._start()

    @classmethod
    @asynccontextmanager
    async def of(cls, stage: Stage, partitions: int) -> AsyncIterator[Self]:
        """Give the program, when it has its partitions; it ends with this, and its database goes."""
        name = stage.name("push")
        pushing = cls(stage, await stage.topics(partitions), name)
        try:
            async with asyncio.timeout(_READY_WITHIN):
                while not pushing.said("ready"):  # noqa: ASYNC110 - another process says it
                    await asyncio.sleep(_LOOK_SECONDS)
            yield pushing
        finally:
            pushing.process.kill()
            pushing.process.wait()
            stage.client.drop_database(name)

    def said(self, what: str) -> list[str]:
        """Return the details of the lines that begin with this word."""
        lines = (line.partition(" ") for line in self._said.read_text().splitlines())
        return [detail for word, _, detail in lines if word == what]

    async def drain(self, workload: Workload, longest: float) -> Drained:
        """Return what was stored of the workload, and what that cost, when it was all, too much, or took too long."""
        await settle()
        consumed = Consumed(pipeline=self.process.pid, **self._stage.servers())
        began = await put_before(self._stage, [self.process.pid], workload, self.topics, 0)
        cpu = consumed.seconds()
        while self.stored() < workload.total and not self.said("failed") and time.time() - began < longest:
            await asyncio.sleep(_LOOK_SECONDS)
            if self.process.poll() is None:
                cpu = consumed.seconds()
        return Drained(self.stored(), time.time() - began, cpu, peak_megabytes(self.process.pid))

    def stored(self) -> int:
        """Return how many events are stored."""
        return int((self.said("stored") or ["0"])[-1])

    def largest(self) -> int:
        """Return how many events the longest call's document holds."""
        (found,) = self.database.calls.aggregate(_LARGEST)
        events: int = found["events"]
        return events

    def _start(self) -> subprocess.Popen[bytes]:
        options = {
            "bootstrap": self._stage.kafka.address,
            "uri": self._stage.mongo.uri,
            "database": self._name,
            "group": self._name,
        }
        command = [sys.executable, "-m", "benchmarks.long.push", *self.topics.inputs]
        for name, value in options.items():
            command += [f"--{name}", value]
        with self._said.open("wb") as said:
            return subprocess.Popen(command, stdout=said)  # noqa: S603 - the command is ours
