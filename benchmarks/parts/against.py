"""The part `against`: this tree's worker and that of another commit drain the same backlog in turns, side by side.

Same servers, Python, packages and settings: those of production, each commit's own defaults. With another Python the
other commit's worker runs a second time, by that one. Every record is compared with the reference implementation.
"""

from dataclasses import dataclass

from benchmarks.load.calls import Workload
from benchmarks.parts import callfold
from benchmarks.parts.checkout import Code, checkout, code_of, short
from benchmarks.parts.ingest import SHORT
from benchmarks.samples import Samples
from benchmarks.stage import Plan, Stage, settle

OURS = "callfold"
_QUICK = Workload(SHORT.events, 1_000)
_WORKERS = {1: "one worker", 2: "two workers"}


def theirs(commit: str) -> str:
    """Return the name of the other commit's worker among the subjects."""
    return f"commit {commit}"


def by_its_own(commit: str) -> str:
    """Return the name of the other commit's worker by the other Python."""
    return f"{theirs(commit)}, its own Python"


def case(workers: int) -> str:
    return f"{SHORT.name}, {_WORKERS[workers]}"


@dataclass(frozen=True)
class Against:
    """Measures this tree next to the commit `revision`, whose packages both Pythons must have as it pins them."""

    revision: str
    python: str | None = None
    NAME: str = "against"

    async def measure(self, stage: Stage, samples: Samples, plan: Plan) -> None:
        workload = _QUICK if plan.quick else SHORT
        with checkout(self.revision) as tree:
            name = short(self.revision)
            subjects: dict[str, Code | None] = {theirs(name): code_of(tree), OURS: None}
            if self.python is not None:
                subjects[by_its_own(name)] = code_of(tree, self.python)
            for number in range(plan.rounds):
                for workers in _WORKERS:
                    # In turns: what goes before one goes before the other in the next round.
                    for subject in list(subjects)[:: -1 if number % 2 else 1]:
                        await settle()
                        done = await callfold.drain(stage, workload, workers, code=subjects[subject])
                        samples.add(self.NAME, case(workers), subject, number, **done.measures())
