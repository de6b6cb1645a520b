"""One run: producer, probe and faults run at once; then all faults end, and the result is compared."""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Coroutine, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager, nullcontext, suppress
from dataclasses import dataclass
from typing import Any

from tests.faults.alerts.explained import Happened
from tests.faults.alerts.watched import Watched, watched
from tests.faults.harness.findings import judge
from tests.faults.harness.report import Report
from tests.faults.harness.schedule import Planned, schedule
from tests.faults.harness.server_faults import SERVER_FAULTS
from tests.faults.harness.stage import Fault, Say, Servers, Stage, servers, staged
from tests.faults.harness.worker_faults import WORKER_FAULTS
from tests.faults.harness.workers import WORKER
from tests.faults.load.probe import Probe
from tests.faults.load.producer import Producer
from tests.faults.load.workload import workload
from tests.support.eventually import eventually

SERIES: Mapping[str, Mapping[str, Fault]] = {"workers": WORKER_FAULTS, "servers": SERVER_FAULTS}
"""Faults of one series come one after the other; those of different series overlap."""

FAULTS = {kind: fault for faults in SERIES.values() for kind, fault in faults.items()}

_SECONDS_A_FAULT = 10.0
_READY_WITHIN = 90.0
_SEEN_WITHIN = 60.0


@dataclass(frozen=True, slots=True)
class Plan:
    """What is run: `rate` in events a second, `kinds` names the faults.

    In `seconds` a series has at least one fault for each ten seconds, or each kind once.
    """

    seed: int = 1
    seconds: float = 600.0
    rate: float = 150.0
    least_records: int = 0
    """At least so many records are accepted, however slow the machine is."""
    workers: int = 2
    program: str = WORKER
    """What the workers run during the faults; a mutant must be detected."""
    mutant: str = ""
    """Which mistake the program makes, if it makes several."""
    longest_pause: float = 6.0
    settled_within: float = 90.0
    """After so many seconds without progress, what is wrong after the faults stays wrong."""
    kinds: tuple[str, ...] = tuple(FAULTS)
    alerts: bool = False
    """A monitor and Prometheus run too, and alerts that fire without cause are a failure."""

    def of_series(self, series: str) -> list[str]:
        return [kind for kind in self.kinds if kind in SERIES[series]]

    def least(self, series: str) -> int:
        """Return the least number of faults of a series."""
        return min(len(self.of_series(series)), int(self.seconds / _SECONDS_A_FAULT))


@dataclass(slots=True)
class _Clock:
    """The number of series that are not done, and the time before which the run does not end."""

    deadline: float
    series: int

    def over(self) -> bool:
        return self.series == 0 and time.monotonic() > self.deadline


async def run(plan: Plan, say: Say) -> Report:
    """Return the report of a run on servers of its own; `say` is called with a line for each event of the run."""
    with servers(say) as on:
        return await run_on(on, "faults", plan, say)


async def run_on(on: Servers, name: str, plan: Plan, say: Say) -> Report:
    """Return the report of a run on these servers, on which its topics and its database have this name."""
    report, began = Report(plan.seed, plan.seconds), time.monotonic()

    def clock() -> float:
        return time.monotonic() - began

    async with staged(on, name, lambda line: say(f"{clock():6.1f} s  {line}")) as stage:
        stage.crew.available_since = time.monotonic()
        stage.crew.program, stage.crew.mutant = plan.program, plan.mutant
        await asyncio.gather(*(stage.crew.join() for _ in range(plan.workers)))
        stage.say("all is ready")
        async with _watched(stage) if plan.alerts else nullcontext() as seen:
            await _disturb(stage, plan, report, Probe(stage.reader, clock))
            await _heal(stage)
            await judge(stage, report, plan.settled_within)
        if seen is not None:
            report.record_alerts(seen.fired)
        report.record_ends(stage.crew)
    report.took = clock()
    return report


async def _disturb(stage: Stage, plan: Plan, report: Report, probe: Probe) -> None:
    producer = Producer(stage.kafka.address, probe.accepted)
    planned = workload(plan.seed, plan.rate, stage.topics)
    clock = _Clock(time.monotonic() + plan.seconds, len(SERIES))
    async with _running(stage.crew.watch()), _running(probe.run()):
        async with asyncio.TaskGroup() as everything:
            everything.create_task(
                producer.run(planned, lambda: clock.over() and len(producer.accepted) >= plan.least_records)
            )
            for series in SERIES:
                everything.create_task(_series(stage, plan, series, clock, report))
        stage.say(f"{len(producer.accepted)} records are accepted; the faults are over")
        await stage.crew.check_ready(_READY_WITHIN)
        await _seen(probe, min(_SEEN_WITHIN, plan.settled_within))
    report.record(producer.accepted, producer.sent_again, probe)
    stage.produced += [record.event for record in producer.accepted if record.event is not None]


async def _series(stage: Stage, plan: Plan, series: str, clock: _Clock, report: Report) -> None:
    kinds = plan.of_series(series)
    planned: Iterator[Planned] = schedule(plan.seed, series, kinds, plan.longest_pause) if kinds else iter(())
    for number, fault in enumerate(planned):
        await asyncio.sleep(fault.pause)
        if number >= plan.least(series) and time.monotonic() > clock.deadline:
            break
        stage.say(fault.kind)
        began = time.time()
        with _outage(stage) if fault.kind in SERVER_FAULTS else nullcontext():
            happened = await FAULTS[fault.kind](stage, random.Random(fault.seed))
        report.happened.append(Happened(fault.kind, began, time.time()))
        if happened:
            report.faults[fault.kind] += 1
        else:
            stage.say(f"{fault.kind}: it did not happen")
            report.verdict.missed.append(fault.kind)
    clock.series -= 1


def _watched(stage: Stage) -> AbstractAsyncContextManager[Watched]:
    settings = {
        "KAFKA_BOOTSTRAP": stage.kafka.address_for_workers,
        "MONGO_URI": stage.mongo.uri,
        "MONGO_DATABASE": stage.topics.prefix,
        "TOPIC_PREFIX": stage.topics.prefix,
        "GROUP": stage.topics.prefix,
    }
    return watched(
        stage.folder,
        settings,
        lambda: {"worker": [worker.port for worker in stage.crew.workers], "api": [stage.api_port]},
    )


@contextmanager
def _outage(stage: Stage) -> Iterator[None]:
    stage.crew.available_since = None
    yield
    stage.crew.available_since = time.monotonic()


async def _seen(probe: Probe, within: float) -> None:
    with suppress(AssertionError):  # events that are never seen count as lost
        await eventually(lambda: probe.unseen == 0, within)


async def _heal(stage: Stage) -> None:
    """Replace all workers by one, which finishes the work of the others."""
    await stage.crew.all_leave()
    stage.crew.program, stage.crew.mutant = WORKER, ""
    await stage.crew.join()
    await stage.crew.check_ready(_READY_WITHIN)
    stage.say("one clean worker runs")


@asynccontextmanager
async def _running(act: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    task = asyncio.create_task(act)
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
