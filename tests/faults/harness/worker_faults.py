"""Faults of workers, by name. After each there are as many workers as before."""

import asyncio
import random
import signal

from tests.faults.harness.stage import Fault, Stage
from tests.faults.harness.workers import becomes_ready
from tests.faults.load.backlog import backlog
from tests.faults.load.fresh_topics import fresh_topics
from tests.faults.load.workload import PARTITIONS
from tests.support.worker.crash_points import CrashPoint

_BEYOND_THE_SESSION = 9.0
_COMES_TO_THE_POINT_WITHIN = 90.0


async def kill(stage: Stage, rng: random.Random) -> bool:
    """Kill a worker, and start another."""
    await stage.crew.kill(rng.choice(stage.crew.workers))
    await stage.crew.join()
    return True


async def terminate(stage: Stage, rng: random.Random) -> bool:
    """Stop a worker cleanly, and start another."""
    await stage.crew.leave(rng.choice(stage.crew.workers))
    await stage.crew.join()
    return True


async def freeze(stage: Stage, rng: random.Random) -> bool:
    """Freeze a worker for longer than its session: it resumes when others own its partitions."""
    worker = rng.choice(stage.crew.workers)
    worker.signal(signal.SIGSTOP)
    await asyncio.sleep(_BEYOND_THE_SESSION)
    worker.signal(signal.SIGCONT)
    await becomes_ready(worker, _BEYOND_THE_SESSION)
    return True


async def storm(stage: Stage, rng: random.Random) -> bool:
    """Let several workers join and leave quickly, some of them before they are assigned partitions."""
    joining = []
    for _ in range(3):
        joining.append(asyncio.create_task(stage.crew.join()))
        await asyncio.sleep(rng.uniform(0.5, 3))
    for task in joining:
        worker = await task
        await (stage.crew.leave(worker) if rng.random() < 0.5 else stage.crew.kill(worker))
    return True


async def spare(stage: Stage, rng: random.Random) -> bool:
    """Run more workers than partitions, and end them one by one until a worker without partitions takes over."""
    present = list(stage.crew.workers)
    more = [stage.crew.join() for _ in range(PARTITIONS + 1 - len(present))]
    await asyncio.gather(*more)
    for worker in present:
        await (stage.crew.leave(worker) if rng.random() < 0.5 else stage.crew.kill(worker))
    for worker in stage.crew.workers[len(present) :]:
        await stage.crew.leave(worker)
    return True


def crash(point: CrashPoint) -> Fault:
    """Return the fault in which a worker joins and dies at a crash point."""

    async def fault(stage: Stage, _rng: random.Random) -> bool:
        return await stage.crew.crash(point, _COMES_TO_THE_POINT_WITHIN)

    return fault


WORKER_FAULTS: dict[str, Fault] = {
    "worker: kill -9": kill,
    "worker: SIGTERM": terminate,
    "worker: frozen beyond its session": freeze,
    "workers: come and go": storm,
    "workers: a spare takes over": spare,
    "workers: fresh topics, first events in a rebalance": fresh_topics,
    "workers: a backlog of more than a batch takes": backlog,
    **{f"crash: {point}": crash(point) for point in CrashPoint},
}
