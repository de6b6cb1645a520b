"""The part `ingest`: in each round every pipeline drains the same backlog, one after the other."""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import NamedTuple

from benchmarks.calls import Workload
from benchmarks.connect.worker import Mode
from benchmarks.ingest import callfold, connect, folds, limits, quix, tutorial
from benchmarks.ingest.draining import Drained
from benchmarks.plan import Plan
from benchmarks.samples import Samples
from benchmarks.saying import say
from benchmarks.stage import Stage, settle

NAME = "ingest"
SHORT = Workload(100, 4_000)
LONG = Workload(700, 2_000)

WHOLE = 600.0
"""Seconds in which everything is drained; the others are for who would need minutes, so that a round stays short."""


class Pipeline(NamedTuple):
    """Drains a workload for some seconds at most: short calls, long ones, and where the plan is quick (None: not)."""

    drain: Callable[[Stage, Workload, float], Awaitable[Drained]]
    short: float = WHOLE
    long: float = WHOLE
    quick: float | None = None

    def longest(self, workload: Workload, plan: Plan) -> float | None:
        """Return for how long it may drain the workload, None where it is not run."""
        if plan.quick:
            return self.quick
        return self.long if workload == LONG else self.short


PIPELINES: dict[str, Pipeline] = {
    "callfold, one worker": Pipeline(lambda stage, workload, _: callfold.drain(stage, workload), quick=WHOLE),
    "callfold, two workers": Pipeline(lambda stage, workload, _: callfold.drain(stage, workload, 2), quick=WHOLE),
    "Kafka Connect, insert": Pipeline(partial(connect.drain, mode=Mode.INSERT), WHOLE, 40.0, 12.0),
    "Kafka Connect, replace": Pipeline(partial(connect.drain, mode=Mode.REPLACE), 20.0, 30.0),
    "Quix Streams": Pipeline(quix.drain, 20.0, 30.0, 12.0),
    "Faust, tutorial": Pipeline(tutorial.drain, 12.0, 15.0, 6.0),
    "limit: consume and decode": Pipeline(limits.consume),
    "limit: write the log": Pipeline(limits.write_log),
}


async def measure(stage: Stage, samples: Samples, plan: Plan) -> None:
    """Drain both workloads with every pipeline, round by round; then count folds."""
    for workload in (SHORT,) if plan.quick else (SHORT, LONG):
        for number in range(plan.rounds):
            for subject, pipeline in PIPELINES.items():
                longest = pipeline.longest(workload, plan)
                if longest is None:
                    continue
                await settle()
                done = await pipeline.drain(stage, workload, longest)
                samples.add(NAME, workload.name, subject, number, **done.measures())
                say(f"{workload.name}, {subject}: {done.events / done.seconds:,.0f} events/s")
    for number in range(1 if plan.quick else plan.rounds):
        counted = await folds.watch(stage, SHORT)
        samples.add(NAME, folds.CASE, "callfold, one worker", number, **counted)
        say(f"{folds.CASE}: {counted['folds_per_call']:.2f} folds a call")
