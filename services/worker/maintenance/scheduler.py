"""Maintenance jobs: they run one after another, concurrently with batches and folds."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

from services.worker import metrics
from shared.kafka.errors import KafkaUnavailable
from shared.process.logs import logger
from shared.store.ports import StoreUnavailable

log = logger(__name__)

_TICK_SECONDS = 0.5
_STOP_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class MaintenanceJob:
    """A job that runs every so many seconds; one that failed runs again the next time."""

    name: str
    every_seconds: float
    run: Callable[[], Awaitable[object]]


class MaintenanceScheduler:
    """Runs each job when it is due, the first time at once."""

    def __init__(self, jobs: Sequence[MaintenanceJob], clock: Callable[[], float] = time.monotonic) -> None:
        self._jobs = jobs
        self._clock = clock
        self._due = {job.name: clock() for job in jobs}
        self._running: asyncio.Task[Any] | None = None

    async def run(self) -> None:
        self._running = asyncio.current_task()
        while True:
            await self.step()
            await asyncio.sleep(_TICK_SECONDS)

    async def stop(self) -> None:
        """Cancel the job that runs: its connections are about to be closed."""
        if self._running is not None:
            self._running.cancel()
            await asyncio.wait([self._running], timeout=_STOP_SECONDS)

    async def step(self) -> None:
        """Run each job that is due, once."""
        for job in self._jobs:
            if self._clock() < self._due[job.name]:
                continue
            try:
                await job.run()
            except (StoreUnavailable, KafkaUnavailable) as error:
                log.warning("maintenance_job_postponed", job=job.name, error=str(error)[:300])
            except Exception:
                # An internal error, which another process would hit again: events are still written and folded.
                log.exception("maintenance_job_failed", job=job.name)
                metrics.MAINTENANCE_FAILURES.labels(job.name).inc()
            self._due[job.name] = self._clock() + job.every_seconds
