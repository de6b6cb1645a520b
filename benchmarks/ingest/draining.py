"""What every pipeline does: drain a backlog into a database, watched from outside, by the same clock.

The clock and the account of CPU begin at the first look that finds anything stored, so that nobody is charged with its
start: no JVM with loading its classes, none of ours with its imports, no group with its first rebalance. What that look
finds was worked for before, and is taken off for everybody; ours too, though those events are in the log alone then,
and marking, folding and replacing them falls into the measured time. What was read but not yet stored at that look is
counted, which gains a pipeline one of its batches at most: nothing for who writes many small ones, up to some percent
for who writes few large ones. The clock stops for a peer when its last event is stored or the time is up, and for us
when the last record was folded, by the server's clock on the same machine.
"""

import asyncio
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from pymongo.collection import Collection

from benchmarks.stage import Consumed, Documents, Stage

LOOK_SECONDS = 0.05
FIRST_WITHIN = 120.0

Count = Callable[[], int]
"""Counts the events that a pipeline has stored so far, cheaply enough to be asked again and again."""


@dataclass(frozen=True)
class Drained:
    """What a pipeline did: so many events in so many seconds, and what that took."""

    events: int
    seconds: float
    cpu: dict[str, float] = field(default_factory=dict)
    peak_mb: float = 0.0

    def measures(self) -> dict[str, float]:
        """Return the figures by name: CPU of the pipeline's own processes, and of all with the servers'."""
        own = sum(seconds for name, seconds in self.cpu.items() if name.startswith("pipeline"))
        return {
            "events_per_second": self.events / self.seconds,
            "cpu_us_per_event": 1e6 * own / self.events,
            "cpu_us_per_event_with_servers": 1e6 * sum(self.cpu.values()) / self.events,
            "peak_mb": self.peak_mb,
        }


@dataclass(frozen=True)
class Beginning:
    """The first look that found anything: when (`time.time()`), how many events, and the CPU from then on."""

    at: float
    events: int
    consumed: Consumed


@contextmanager
def database_of_its_own(stage: Stage, name: str) -> Iterator[Documents]:
    """Lend a database, and drop it."""
    try:
        yield stage.database(name)
    finally:
        stage.client.drop_database(name)


def events_in(collection: Collection[dict[str, Any]]) -> int:
    """Return how many events the documents of a collection hold in their arrays `events`."""
    counted = collection.aggregate([{"$group": {"_id": None, "events": {"$sum": {"$size": "$events"}}}}])
    return next((int(each["events"]) for each in counted), 0)


async def beginning(
    processes: Mapping[str, int],
    count: Count,
    *,
    check: Callable[[], None] = lambda: None,
    every: float = LOOK_SECONDS,
) -> Beginning:
    """Return when the first events are stored; `processes`: whose CPU is told, `check`: raises if the pipeline ended.

    Raises:
        TimeoutError: it stored nothing.
    """
    async with asyncio.timeout(FIRST_WITHIN):
        while not (events := count()):
            check()
            await asyncio.sleep(every)
    return Beginning(time.time(), events, Consumed(**processes))
