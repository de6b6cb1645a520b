"""The part `fresh`: in each round every pipeline is published to at every rate, one after the other."""

from contextlib import AsyncExitStack
from itertools import count

from benchmarks.fresh import callfold, connect
from benchmarks.fresh.load import CALLS_A_PHASE
from benchmarks.fresh.phase import Rate, run
from benchmarks.plan import Plan
from benchmarks.samples import Samples
from benchmarks.saying import say
from benchmarks.stage import Stage, settle

NAME = "fresh"

REHEARSAL = Rate(2_000, 0.0, 3.0)
"""Before anything is measured: Java compiles what it runs, connections are made."""

QUICK = (Rate(2_000, 1.0, 5.0),)
FULL = (Rate(500, 3.0, 10.0), Rate(2_000, 3.0, 10.0), Rate(5_000, 3.0, 10.0))

PIPELINES = (callfold.running, connect.running)


async def measure(stage: Stage, samples: Samples, plan: Plan) -> None:
    """Measure every pipeline at every rate, round by round; all of them run, and one has something to do."""
    firsts = count(0, CALLS_A_PHASE)
    async with AsyncExitStack() as stack:
        subjects = [await stack.enter_async_context(running(stage)) for running in PIPELINES]
        for subject in subjects:
            await run(subject, stage.kafka.address, REHEARSAL, next(firsts))
        for number in range(plan.rounds):
            for rate in QUICK if plan.quick else FULL:
                for subject in subjects if number % 2 else subjects[::-1]:
                    await settle()
                    fresh = (await run(subject, stage.kafka.address, rate, next(firsts))).measures()
                    samples.add(NAME, rate.name, subject.name, number, **fresh)
                    say(f"{rate.name}, {subject.name}: " + ", ".join(f"{name} {fresh[name]:.0f}" for name in fresh))
