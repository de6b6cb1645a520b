"""What the worker does from time to time, beside batches and folds: one place, one after another."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

from services.worker.consumer.topic_setup import KafkaUnavailable
from shared.process import metrics
from shared.process.logs import logger
from shared.store.ports import StoreUnavailable

log = logger(__name__)

_TICK_SECONDS = 0.5
_BREAK_OFF_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Chore:
    """Something to be done every so many seconds; what failed is done again the next time."""

    name: str
    every_seconds: float
    act: Callable[[], Awaitable[object]]


class Chores:
    """Does each chore when it is due; the first time as soon as there is time for it."""

    def __init__(self, chores: Sequence[Chore], clock: Callable[[], float] = time.monotonic) -> None:
        self._chores = chores
        self._clock = clock
        self._due = {chore.name: clock() for chore in chores}
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
        for chore in self._chores:
            if self._clock() < self._due[chore.name]:
                continue
            try:
                await chore.act()
            except (StoreUnavailable, KafkaUnavailable) as error:
                log.warning("chore_put_off", chore=chore.name, error=str(error)[:300])
            except Exception:
                # A mistake of ours that the next process would make again: events and records do without the chore.
                log.exception("chore_failed", chore=chore.name)
                metrics.CHORES_FAILED.labels(chore.name).inc()
            self._due[chore.name] = self._clock() + chore.every_seconds
