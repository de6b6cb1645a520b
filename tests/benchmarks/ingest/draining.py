"""What every pipeline does: drain a backlog into a database, watched from outside."""

import asyncio
import time
from dataclasses import dataclass, field
from typing import Any

from pymongo.collection import Collection

_LOOK_SECONDS = 0.05


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


async def first_document(collection: Collection[dict[str, Any]], within: float = 90.0) -> float:
    """Return when the pipeline's first document was there (`time.time()`).

    Raises:
        TimeoutError: it did not come.
    """
    async with asyncio.timeout(within):
        while not collection.estimated_document_count():  # noqa: ASYNC110 - another process writes it
            await asyncio.sleep(_LOOK_SECONDS)
    return time.time()


async def drained(collection: Collection[dict[str, Any]], events: int, longest: float) -> tuple[int, float]:
    """Return how many documents of single events came within how many seconds: all, or what `longest` allows.

    It counts from the first look that finds any: so many fell into no measured second and are taken off.
    """
    began = await first_document(collection)
    there = collection.estimated_document_count()
    found = there
    while found < events and time.time() - began < longest:
        await asyncio.sleep(_LOOK_SECONDS)
        found = collection.estimated_document_count()
    return found - there, time.time() - began
