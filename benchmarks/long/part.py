"""The part `long`: what an event costs, by the length of its call: from the backlog to the record, and as calls go on.

From a backlog, few long calls are drained as fast as they can be read, thousands of events of a call at once. As calls
go on there are six at once, whatever the pipeline: that is where one growing document costs what it costs.
"""

from benchmarks.calls import Workload
from benchmarks.ingest.draining import Drained
from benchmarks.long import going_on
from benchmarks.long.pushing import Pushing
from benchmarks.plan import Plan
from benchmarks.samples import Samples
from benchmarks.saying import say
from benchmarks.stage import Stage
from benchmarks.standing import Crew

NAME = "long"
OURS = "callfold"
PUSH = "$push onto one document"
EVENTS = 100_000
SIZES = (100, 1_000, 10_000, 50_000)
PUSHED_SIZES = SIZES[:3]
"""A document has no room for more, as the backlog shows."""
QUICK_EVENTS = 30_000
QUICK_SIZES = (100, 10_000)

_PARTITIONS = 12
_WARM = Workload(5_000, 1)
"""Large enough for the pool: its process is started before anything is measured."""
_LONGEST_SECONDS = 60.0


async def measure(stage: Stage, samples: Samples, plan: Plan) -> None:
    """Drain about the same number of events again and again, in few long calls and in many short ones."""
    total, sizes = (QUICK_EVENTS, QUICK_SIZES) if plan.quick else (EVENTS, SIZES)
    async with Crew.of(stage, _PARTITIONS) as crew:
        await crew.join()
        await crew.drain(_WARM)
        for number in range(plan.rounds):
            for size in sizes:
                workload = Workload(size, total // size)
                _add(samples, backlog(size), OURS, number, **_costs(await crew.drain(workload)))
                _add(samples, backlog(size), PUSH, number, **await _push(stage, workload))
            for size in () if plan.quick else SIZES:
                _add(samples, live(size), OURS, number, **_costs(await going_on.fold(stage, crew, size)))
            for size in () if plan.quick else PUSHED_SIZES:
                async with Pushing.of(stage, _PARTITIONS) as pushing:
                    _add(samples, live(size), PUSH, number, **_costs(await going_on.push(stage, pushing, size)))


def backlog(size: int) -> str:
    """Return the case of calls that are drained from a backlog."""
    return f"{size:,} events"


def live(size: int) -> str:
    """Return the case of calls that have so many events, and go on."""
    return f"{size:,} events, going on"


async def _push(stage: Stage, workload: Workload) -> dict[str, float]:
    async with Pushing.of(stage, _PARTITIONS) as pushing:
        done = await pushing.drain(workload, _LONGEST_SECONDS)
        return {"failed_at_events": pushing.largest()} if pushing.said("failed") else _costs(done)


def _costs(done: Drained) -> dict[str, float]:
    """Return what an event cost: the CPU of whoever consumes, of its pool and of mongod, but not the broker's."""
    cpu = sum(seconds for name, seconds in done.cpu.items() if name != "kafka")
    return {
        "cpu_us_per_event": 1e6 * cpu / done.events,
        "mongod_cpu_us_per_event": 1e6 * done.cpu["mongod"] / done.events,
        "us_per_event": 1e6 * done.seconds / done.events,
    }


def _add(samples: Samples, case: str, subject: str, round_: int, **measured: float) -> None:
    samples.add(NAME, case, subject, round_, **measured)
    say(f"{case}, {subject}: " + ", ".join(f"{measure} {value:,.1f}" for measure, value in measured.items()))
