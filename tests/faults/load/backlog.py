"""A backlog: more comes at once than a batch takes, while no worker reads."""

import random
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from tests.faults.harness.stage import LARGE_BATCH, Stage
from tests.faults.load.calls import a_call
from tests.support.events.makers import Json
from tests.support.eventually import eventually
from tests.support.servers.kafka import publish
from tests.support.worker.process import WorkerProcess

_EVENTS = int(2.6 * LARGE_BATCH)
"""A worker that owns half of the partitions gets more than its batch takes."""
_WRITTEN_WITHIN = 90.0


async def backlog(stage: Stage, rng: random.Random) -> bool:
    """Let a worker with batches of the usual limit come back to a backlog; return whether it filled one."""
    large = await stage.crew.replace(LARGE_BATCH)
    before = await stage.crew.count_full_batches(large)
    events = _calls(rng)
    with _frozen(stage.crew.workers):
        stage.produced += events
        await publish(stage.kafka.address, stage.topics, events)

    async def filled() -> bool:
        return large.ended() or await stage.crew.count_full_batches(large) > before

    with suppress(AssertionError):
        await eventually(filled, _WRITTEN_WITHIN)
    return await stage.crew.count_full_batches(large) > before


def _calls(rng: random.Random) -> list[Json]:
    """Return the events of calls that were going on at the same time, the late ones last."""
    name, events, late = f"{rng.getrandbits(40):x}", list[tuple[float, Json]](), list[Json]()
    while len(events) + len(late) < _EVENTS:
        call, begin = a_call(f"backlog-{name}-{len(events)}", rng), rng.random()
        events += [(begin + number / 100, body) for number, body in enumerate(call.events)]
        late += call.late
    return [body for _, body in sorted(events, key=lambda each: each[0])] + late


@contextmanager
def _frozen(workers: list[WorkerProcess]) -> Iterator[None]:
    stopped = [worker for worker in workers if not worker.ended()]
    for worker in stopped:
        worker.signal(signal.SIGSTOP)
    try:
        yield
    finally:
        for worker in stopped:
            if not worker.ended():
                worker.signal(signal.SIGCONT)
