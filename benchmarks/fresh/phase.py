"""One phase: a pipeline is published to at a steady rate, and somebody asks for what was published."""

import asyncio
import os
import sys
from asyncio import create_subprocess_exec
from asyncio.subprocess import PIPE, Process
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from statistics import median, quantiles

import orjson

from benchmarks.fresh import asking, publishing
from benchmarks.fresh.publishing import events
from benchmarks.stage import Consumed
from shared.contract.topics import Topics

_LOOK_SECONDS = 0.1
_DRAINED_WITHIN = 60.0


@dataclass(frozen=True)
class Subject:
    """A pipeline that runs: its topics, how it is asked, how many events it has stored, and its processes."""

    name: str
    topics: Topics
    asked: Mapping[str, str]
    stored: Callable[[], int]
    pids: Mapping[str, int]


@dataclass(frozen=True)
class Rate:
    """So many events a second, for so long, after a time in which nothing is measured."""

    per_second: int
    warm_up: float
    seconds: float

    @property
    def name(self) -> str:
        """How the rate is called in tables."""
        return f"{self.per_second:,} events/s"

    @property
    def events(self) -> int:
        """How many are published in all."""
        return events(self.per_second, self.warm_up + self.seconds)

    def percent(self, cpu_seconds: float) -> float:
        """Return CPU time as a share of one core, in percent."""
        return 100 * cpu_seconds / (self.warm_up + self.seconds)


@dataclass(frozen=True)
class Fresh:
    """Milliseconds of each probe and of each question; events not stored at the end; CPU as a share of one core.

    A question is how exactly is measured: several probes that are out share the questions.
    """

    milliseconds: list[float]
    questions: list[float]
    left_behind: int
    asking_cpu_percent: float
    cpu_percent: Mapping[str, float]

    def measures(self) -> dict[str, float]:
        """Return the figures by name."""
        ranks = quantiles(self.milliseconds, n=100, method="inclusive")
        return {
            "p50_ms": ranks[49],
            "p99_ms": ranks[98],
            "max_ms": max(self.milliseconds),
            "left_behind": self.left_behind,
            "question_ms": median(self.questions),
            "asking_cpu_percent": self.asking_cpu_percent,
            **{f"{name}_cpu_percent": percent for name, percent in self.cpu_percent.items()},
        }


async def run(subject: Subject, bootstrap: str, rate: Rate, first: int) -> Fresh:
    """Publish the calls from number `first` on at this rate; return when all of it is stored.

    Raises:
        RuntimeError: a process of the measurement failed.
        TimeoutError: the pipeline did not store everything.
    """
    before = subject.stored()
    consumed = Consumed(**subject.pids)
    publisher, asker = await _start(subject, bootstrap, rate, first)
    await _ended(publisher)
    left_behind = before + rate.events - subject.stored()
    cpu = {name: rate.percent(seconds) for name, seconds in consumed.seconds().items()}
    told, _ = await asker.communicate()
    await _ended(asker)
    await _drained(subject, before + rate.events)
    answer = orjson.loads(told)
    return Fresh(answer["readable"], answer["questions"], left_behind, rate.percent(answer["cpu_seconds"]), cpu)


async def _start(subject: Subject, bootstrap: str, rate: Rate, first: int) -> tuple[Process, Process]:
    reads, writes = os.pipe()
    asker = await create_subprocess_exec(
        *(sys.executable, "-m", asking.__name__), stdin=reads, stdout=PIPE, env={**os.environ, **subject.asked}
    )
    os.close(reads)
    assert asker.stdout is not None
    await asker.stdout.readline()  # it is ready: what it needs to start is nobody's latency
    publisher = await create_subprocess_exec(
        *(sys.executable, "-m", publishing.__name__, "--bootstrap", bootstrap, "--prefix", subject.topics.prefix),
        *("--rate", str(rate.per_second), "--warm-up", str(rate.warm_up), "--seconds", str(rate.seconds)),
        *("--first", str(first)),
        stdout=writes,
    )
    os.close(writes)
    return publisher, asker


async def _ended(process: Process) -> None:
    if await process.wait():
        raise RuntimeError("a process of the measurement failed; what it said stands above")


async def _drained(subject: Subject, wanted: int) -> None:
    async with asyncio.timeout(_DRAINED_WITHIN):
        while subject.stored() < wanted:  # noqa: ASYNC110 - another process writes it
            await asyncio.sleep(_LOOK_SECONDS)
