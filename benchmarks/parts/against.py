"""The part `against`: this tree's worker and that of another commit drain the same backlog in turns, side by side.

Same servers, Python, packages and settings: those of production, each commit's own defaults. Every record of both is
compared with the reference implementation.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from benchmarks.load.calls import Workload
from benchmarks.parts import callfold
from benchmarks.parts.checkout import checkout, code_of, short
from benchmarks.parts.ingest import SHORT
from benchmarks.samples import Samples
from benchmarks.stage import Plan, Stage, settle

OURS = "callfold"
_QUICK = Workload(SHORT.events, 1_000)
_WORKERS = {1: "one worker", 2: "two workers"}


def theirs(commit: str) -> str:
    """Return the name of the other commit's worker among the subjects."""
    return f"{OURS} at {commit}"


def case(workers: int) -> str:
    return f"{SHORT.name}, {_WORKERS[workers]}"


@dataclass(frozen=True)
class Against:
    """Measures this tree next to the commit `revision`."""

    revision: str
    NAME: str = "against"

    async def measure(self, stage: Stage, samples: Samples, plan: Plan) -> None:
        workload = _QUICK if plan.quick else SHORT
        with checkout(self.revision) as tree:
            subjects: dict[str, Mapping[str, str]] = {theirs(short(self.revision)): code_of(tree), OURS: {}}
            for number in range(plan.rounds):
                for workers in _WORKERS:
                    # In turns: what goes before one goes before the other in the next round.
                    for subject in list(subjects)[:: -1 if number % 2 else 1]:
                        await settle()
                        done = await callfold.drain(stage, workload, workers, code=subjects[subject])
                        samples.add(self.NAME, case(workers), subject, number, **done.measures())
