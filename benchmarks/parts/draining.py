"""Draining a backlog into a database, watched from outside, by the same clock for every pipeline.

Clock and CPU count from the first poll that finds anything stored, so that no pipeline is charged with its start: its
JVM's, Python's imports, the group's first rebalance. What that poll finds is subtracted. What was fetched and decoded
but not yet stored by then is not, which favours a pipeline by its first delivery: nothing for many small batches, some
2 to 5 percent for few large ones. What a JVM loads and compiles after its first write is charged to it.

The clock stops for a peer when its last event is stored or its time is over, for Callfold when the last record was
folded, by the server's clock on the same machine.
"""

import asyncio
import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

from pymongo.collection import Collection

from benchmarks.stage import CpuTime, Documents, peak_megabytes
from deploy.local.errors import NotReadyError
from deploy.local.servers.process import Server

POLL_SECONDS = 0.05

Count = Callable[[], int]
"""Counts the events that a pipeline has stored so far, cheaply enough to be polled."""

_ROOT = Path(__file__).parents[2]
_FIRST_WITHIN = 120.0
_STOP_WITHIN = 10.0


@dataclass(frozen=True)
class Drained:
    """What a pipeline stored in how many seconds; CPU seconds by process, `pipeline*` being its own."""

    events: int
    seconds: float
    cpu: dict[str, float] = field(default_factory=dict)
    peak_mb: float = 0.0
    folds: float = 0.0
    bytes_per_event: float | None = None

    def wrote(self, written: int, events: int) -> "Drained":
        """Return the same with what mongod wrote for so many events, those of the start included."""
        return replace(self, bytes_per_event=written / events)

    @property
    def own_cpu(self) -> float:
        return sum(seconds for name, seconds in self.cpu.items() if name.startswith("pipeline"))

    def measures(self) -> dict[str, float]:
        return {
            "events_per_second": self.events / self.seconds,
            "cpu_us_per_event": 1e6 * self.own_cpu / self.events,
            "cpu_us_per_event_with_servers": 1e6 * sum(self.cpu.values()) / self.events,
            "peak_mb": self.peak_mb,
            **({} if self.bytes_per_event is None else {"mongod_bytes_per_event": self.bytes_per_event}),
        }


class Beginning(NamedTuple):
    """The first poll that found anything: when (`time.time()`), how many events, and the CPU from then on."""

    at: float
    events: int
    cpu: CpuTime


def events_in(collection: Collection[dict[str, Any]]) -> int:
    """Return how many events the documents of a collection hold: in an array, or packed with the length of each.

    The tutorial's and an earlier commit's have an array.
    """
    packed = {"$divide": [{"$binarySize": "$lengths"}, 4]}
    each = {"$cond": [{"$isArray": ["$events"]}, {"$size": "$events"}, packed]}
    counted = collection.aggregate([{"$group": {"_id": None, "events": {"$sum": each}}}])
    return next((int(each["events"]) for each in counted), 0)


async def beginning(
    pids: Mapping[str, int], count: Count, *, check: Callable[[], None] = lambda: None, every: float = POLL_SECONDS
) -> Beginning:
    """Return when the first events are stored; `check` raises if the pipeline has ended.

    Raises:
        TimeoutError: it stored nothing.
    """
    async with asyncio.timeout(_FIRST_WITHIN):
        while not (events := count()):
            check()
            await asyncio.sleep(every)
    return Beginning(time.time(), events, CpuTime(**pids))


class Program(Server):
    """A program as a child of this process, by default in Python; its progress is numbers on lines of their own."""

    name: ClassVar[str] = "program"

    def __init__(self, folder: Path, arguments: Sequence[str], port: int = 0) -> None:
        super().__init__(folder, port)
        self._arguments = arguments

    def prepare(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)

    def command(self) -> list[str]:
        return [sys.executable, *self._arguments]

    def environment(self) -> dict[str, str]:
        return {**os.environ, "PYTHONPATH": str(_ROOT)}

    def lacks(self) -> str | None:
        return None

    def wrote(self, word: str) -> bool:
        return word in self.log.read_text(errors="replace")

    def last_number(self) -> int:
        """Return the last number that stands alone on a complete line, 0 if there is none yet."""
        complete = self.log.read_text(errors="replace").split("\n")[:-1]
        return next((int(line) for line in reversed(complete) if line.isdecimal()), 0)


@dataclass(frozen=True)
class Peer:
    """An alternative to Callfold: run, polled with `count`, stopped, and verified with `stored`, which is exact."""

    server: Server
    count: Count
    stored: Count
    every: float = POLL_SECONDS

    async def drain(self, servers: Mapping[str, int], events: int, longest: float) -> Drained:
        """Return what it did until all `events` were stored, or for `longest` seconds; `servers`: their pids.

        Raises:
            NotReadyError: it ended by itself.
            TimeoutError: it stored nothing.
            AssertionError: it did not store what it was given.
        """
        self.server.prepare()
        try:
            self.server.start()
            done, found = await self._watch(servers, events, longest)
        finally:
            self.server.stop(_STOP_WITHIN)
        stored = self.stored()
        # One that was cut off may have stored more while it was being stopped.
        right = stored == events if found >= events else found <= stored <= events
        name = self.server.folder.name
        assert right, f"{name}: {stored:,} events are stored, {found:,} were counted, of {events:,}"
        assert done.events, f"{name}: everything was stored at the first poll"
        return done

    async def _watch(self, servers: Mapping[str, int], events: int, longest: float) -> tuple[Drained, int]:
        pid = self.server.pid
        start = await beginning({**servers, "pipeline": pid}, self.count, check=self._check, every=self.every)
        found, seconds = start.events, 0.0
        while found < events and seconds < longest:
            self._check()
            await asyncio.sleep(self.every)
            found, seconds = self.count(), time.time() - start.at
        return Drained(found - start.events, seconds, start.cpu.seconds(), peak_megabytes(pid)), found

    def _check(self) -> None:
        if (how := self.server.ended()) is not None:
            raise NotReadyError(self.server.folder.name, how, self.server.log)


def last_fold(database: Documents) -> float:
    """Return when the last record was folded (`time.time()`), by the clock of the same machine."""
    (found,) = database.calls.aggregate([{"$group": {"_id": None, "at": {"$max": {"$toLong": "$folded_at"}}}}])
    return float(found["at"]) / 1000
