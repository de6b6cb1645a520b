"""The part `scale`: a backlog drained by 1, 2 and 4 workers, and what a rebalance costs a steady load."""

from benchmarks.calls import Workload
from benchmarks.ingest.draining import Drained
from benchmarks.plan import Plan
from benchmarks.samples import Samples
from benchmarks.saying import say
from benchmarks.scale.rebalances import rebalances
from benchmarks.stage import Stage
from benchmarks.standing import Crew

NAME = "scale"
OURS = "callfold"
WORKERS = (1, 2, 4)
PARTITIONS = (12, 48)
WORKLOAD = Workload(100, 1_000)


async def measure(stage: Stage, samples: Samples, plan: Plan) -> None:
    """Let crews grow, and drain the same workload at each size; then have workers come and go."""
    if plan.quick:
        return
    for number in range(plan.rounds):
        for partitions in PARTITIONS:
            async with Crew.of(stage, partitions) as crew:
                for size in WORKERS:
                    await crew.join(size - len(crew.members))
                    _add(samples, throughput(size, partitions), number, **_figures(await crew.drain(WORKLOAD)))
        async for case, measured in rebalances(stage):
            _add(samples, case, number, **measured)


def throughput(workers: int, partitions: int) -> str:
    """Return the case of so many workers."""
    return f"{workers} worker{'s' * (workers > 1)}, {partitions} partitions"


def _figures(done: Drained) -> dict[str, float]:
    own = sum(seconds for name, seconds in done.cpu.items() if name.startswith("pipeline"))
    return {
        "events_per_second": done.events / done.seconds,
        "events_per_cpu_second": done.events / own,
        "events_per_cpu_second_with_servers": done.events / sum(done.cpu.values()),
    }


def _add(samples: Samples, case: str, round_: int, **measured: float) -> None:
    samples.add(NAME, case, OURS, round_, **measured)
    say(f"{case}: " + ", ".join(f"{measure} {value:,.2f}" for measure, value in measured.items()))
