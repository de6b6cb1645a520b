"""The part `ingest`: in each round every pipeline drains the same backlog, one after the other."""

from collections.abc import Awaitable, Callable

from tests.benchmarks.calls import Workload
from tests.benchmarks.ingest import callfold, folds
from tests.benchmarks.ingest.draining import Drained
from tests.benchmarks.plan import Plan
from tests.benchmarks.samples import Samples
from tests.benchmarks.saying import say
from tests.benchmarks.stage import Stage, settle

NAME = "ingest"
SHORT = Workload(100, 4_000)
LONG = Workload(700, 2_000)

Drain = Callable[[Stage, Workload], Awaitable[Drained]]

PIPELINES: dict[str, Drain] = {
    "callfold, one worker": callfold.drain,
    "callfold, two workers": lambda stage, workload: callfold.drain(stage, workload, 2),
}


async def measure(stage: Stage, samples: Samples, plan: Plan) -> None:
    """Drain both workloads with every pipeline, round by round; then count folds."""
    for workload in (SHORT,) if plan.quick else (SHORT, LONG):
        for number in range(plan.rounds):
            for subject, drain in PIPELINES.items():
                await settle()
                done = await drain(stage, workload)
                samples.add(NAME, workload.name, subject, number, **done.measures())
                say(f"{workload.name}, {subject}: {done.events / done.seconds:,.0f} events/s")
    for number in range(1 if plan.quick else plan.rounds):
        counted = await folds.watch(stage, SHORT)
        samples.add(NAME, folds.CASE, "callfold, one worker", number, **counted)
        say(f"{folds.CASE}: {counted['folds_per_call']:.2f} folds a call")
