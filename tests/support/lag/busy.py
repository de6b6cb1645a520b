"""One worker on a busy machine: it takes what some of its partitions have, and commits that seconds later."""

import random
from collections.abc import Iterator
from itertools import count

from shared.lag.models import GroupState, Health, Reading
from tests.support.lag.partition import START, TOPIC, Partition

_ARRIVALS = 300
_SHARE = 0.7


def busy_worker(seconds: int, *, longest: int, partitions: int = 9) -> Iterator[Reading]:
    """Return what a monitor reads: 300 records come a second; a cycle of the worker takes 1 to `longest` seconds."""
    drawn, parts = random.Random(1), [Partition(committed=0) for _ in range(partitions)]
    taken: list[tuple[Partition, int]] = []
    due = START
    for now in map(float, range(int(START) + 1, int(START) + seconds + 1)):
        for index in range(_ARRIVALS):
            drawn.choice(parts).arrived.append(now - 1 + index / _ARRIVALS)
        if now >= due:
            for part, end in taken:
                part.committed = end
            taken = [(part, len(part.arrived)) for part in parts if drawn.random() < _SHARE]
            due = now + drawn.randint(1, longest)
        yield _reading(now, parts)


def _reading(now: float, parts: list[Partition]) -> Reading:
    found = dict(zip(((TOPIC, number) for number in count()), (part.read() for part in parts), strict=False))
    owners = dict.fromkeys(found, "worker-1")
    return Reading(now, Health.WELL, Health.WELL, GroupState.STABLE, 1, found, owners, mongodb_write_seconds=0.01)
