"""One run: the producer, the probe and the faults at once; then all is healed, and what was produced is looked for."""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Coroutine, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager, nullcontext, suppress
from dataclasses import dataclass
from typing import Any

from tests.faults.harness.findings import judge
from tests.faults.harness.report import Report
from tests.faults.harness.schedule import Planned, schedule
from tests.faults.harness.server_faults import SERVER_FAULTS
from tests.faults.harness.stage import TOPICS, Fault, Say, Stage, staged
from tests.faults.harness.worker_faults import WORKER_FAULTS
from tests.faults.harness.workers import WORKER
from tests.faults.load.probe import Probe
from tests.faults.load.producer import Producer
from tests.faults.load.workload import workload
from tests.support.eventually import eventually

CONCURRENCY: Mapping[str, Mapping[str, Fault]] = {"workers": WORKER_FAULTS, "servers": SERVER_FAULTS}
"""Faults of one lane come one after the other; those of different lanes meet."""

FAULTS = {kind: fault for faults in CONCURRENCY.values() for kind, fault in faults.items()}

_SECONDS_A_FAULT = 10.0
_READY_WITHIN = 90.0
_SEEN_WITHIN = 60.0


@dataclass(frozen=True, slots=True)
class Plan:
    """What is run: `rate` in events a second, `kinds` names the faults.

    In `seconds` a lane has at least one fault for each ten, or each kind once, and more if there is time.
    """

    seed: int = 1
    seconds: float = 600.0
    rate: float = 150.0
    workers: int = 2
    program: str = WORKER
    """What the workers run until all is healed; a broken one must be found out."""
    longest_pause: float = 6.0
    kinds: tuple[str, ...] = tuple(FAULTS)

    def of_lane(self, lane: str) -> list[str]:
        """Return the kinds of one lane."""
        return [kind for kind in self.kinds if kind in CONCURRENCY[lane]]

    def least(self, lane: str) -> int:
        """Return how many faults of a lane there are at least."""
        return min(len(self.of_lane(lane)), int(self.seconds / _SECONDS_A_FAULT))


@dataclass(slots=True)
class _Clock:
    """The lanes that are not done yet, and when they may be."""

    deadline: float
    lanes: int

    def over(self) -> bool:
        return self.lanes == 0 and time.monotonic() > self.deadline


async def run(plan: Plan, say: Say) -> Report:
    """Return what the run came to; `say` takes a line about each thing that happens."""
    report, began = Report(plan.seed, plan.seconds), time.monotonic()

    def clock() -> float:
        return time.monotonic() - began

    async with staged(lambda line: say(f"{clock():6.1f} s  {line}")) as stage:
        stage.crew.well_since = time.monotonic()
        stage.crew.program = plan.program
        await asyncio.gather(*(stage.crew.join() for _ in range(plan.workers)))
        stage.say("the stage is set")
        await _disturb(stage, plan, report, Probe(stage.reader, clock))
        await _heal(stage)
        await judge(stage, report)
        report.take_ends(stage.crew)
    report.took = clock()
    return report


async def _disturb(stage: Stage, plan: Plan, report: Report, probe: Probe) -> None:
    producer = Producer(stage.kafka.address, probe.accepted)
    planned = workload(plan.seed, plan.rate, TOPICS)
    clock = _Clock(time.monotonic() + plan.seconds, len(CONCURRENCY))
    async with _large_folds(stage.crew.watch()), _large_folds(probe.run()):
        async with asyncio.TaskGroup() as everything:
            everything.create_task(producer.run(planned, clock.over))
            for lane in CONCURRENCY:
                everything.create_task(_lane(stage, plan, lane, clock, report))
        stage.say(f"{len(producer.accepted)} records are accepted, and no fault comes any more")
        await stage.crew.check_ready(_READY_WITHIN)
        await _seen(probe)
    report.take(producer.accepted, producer.sent_again, probe)
    stage.produced += [record.event for record in producer.accepted if record.event is not None]


async def _lane(stage: Stage, plan: Plan, lane: str, clock: _Clock, report: Report) -> None:
    kinds = plan.of_lane(lane)
    planned: Iterator[Planned] = schedule(plan.seed, lane, kinds, plan.longest_pause) if kinds else iter(())
    for number, fault in enumerate(planned):
        await asyncio.sleep(fault.pause)
        if number >= plan.least(lane) and time.monotonic() > clock.deadline:
            break
        stage.say(fault.kind)
        with _bad_world(stage) if fault.kind in SERVER_FAULTS else nullcontext():
            came_about = await FAULTS[fault.kind](stage, random.Random(fault.seed))
        if came_about:
            report.faults[fault.kind] += 1
        else:
            stage.say(f"{fault.kind}: it did not come to that")
            report.verdict.missed.append(fault.kind)
    clock.lanes -= 1


@contextmanager
def _bad_world(stage: Stage) -> Iterator[None]:
    stage.crew.well_since = None
    yield
    stage.crew.well_since = time.monotonic()


async def _seen(probe: Probe) -> None:
    with suppress(AssertionError):  # those that are never seen count as lost
        await eventually(lambda: probe.unseen == 0, _SEEN_WITHIN)


async def _heal(stage: Stage) -> None:
    """Let one worker take the place of all: what the others have left behind is its to finish."""
    await stage.crew.all_leave()
    stage.crew.program = WORKER
    await stage.crew.join()
    await stage.crew.check_ready(_READY_WITHIN)
    stage.say("one clean worker runs")


@asynccontextmanager
async def _large_folds(act: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    task = asyncio.create_task(act)
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
