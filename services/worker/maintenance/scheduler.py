"""What the worker does from time to time, beside batches and folds: one place, one after another."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

from shared.kafka.errors import KafkaUnavailable
from shared.process import metrics
from shared.process.logs import logger
from shared.store.ports import StoreUnavailable

log = logger(__name__)

_TICK_SECONDS = 0.5
_BREAK_OFF_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class MaintenanceJob:
    """Something to be done every so many seconds; what failed is done again the next time."""

    name: str
    every_seconds: float
    act: Callable[[], Awaitable[object]]


class MaintenanceScheduler:
    """Does each chore when it is due; the first time as soon as there is time for it."""

    def __init__(self, maintenance: Sequence[MaintenanceJob], clock: Callable[[], float] = time.monotonic) -> None:
        self._jobs = maintenance
        self._clock = clock
        self._due = {job.name: clock() for job in maintenance}
        self._running: asyncio.Task[Any] | None = None

    async def run(self) -> None:
        """Go on until stopped."""
        self._running = asyncio.current_task()
        while True:
            await self.step()
            await asyncio.sleep(_TICK_SECONDS)

    async def stop(self) -> None:
        """Break off what is being done: its connections are about to be closed."""
        if self._running is not None:
            self._running.cancel()
            await asyncio.wait([self._running], timeout=_BREAK_OFF_SECONDS)

    async def step(self) -> None:
        """Do what is due, each once."""
        for job in self._jobs:
            if self._clock() < self._due[job.name]:
                continue
            try:
                await job.act()
            except (StoreUnavailable, KafkaUnavailable) as error:
                log.warning("maintenance_job_postponed", job=job.name, error=str(error)[:300])
            except Exception:
                # A mistake of ours that the next process would make again: events and records do without the chore.
                log.exception("maintenance_job_failed", job=job.name)
                metrics.MAINTENANCE_FAILURES.labels(job.name).inc()
            self._due[job.name] = self._clock() + job.every_seconds
