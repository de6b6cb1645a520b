"""What the worker does from time to time, beside batches and folds: one place, one after another."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from shared.logs import logger
from shared.store.port import StoreUnavailable

log = logger(__name__)

_TICK_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class Chore:
    """Something to be done every so many seconds; what fails with the world is done again the next time."""

    name: str
    every_seconds: float
    act: Callable[[], Awaitable[None]]


class Chores:
    """Does each chore when it is due; the first time as soon as there is time for it."""

    def __init__(self, chores: Sequence[Chore], clock: Callable[[], float] = time.monotonic) -> None:
        self._chores = chores
        self._clock = clock
        self._due = {chore.name: clock() for chore in chores}

    async def run(self) -> None:
        """Go on for ever."""
        while True:
            await self.step()
            await asyncio.sleep(_TICK_SECONDS)

    async def step(self) -> None:
        """Do what is due, each once."""
        for chore in self._chores:
            if self._clock() < self._due[chore.name]:
                continue
            try:
                await chore.act()
            except StoreUnavailable as error:
                log.warning("chore_put_off", chore=chore.name, error=str(error)[:300])
            self._due[chore.name] = self._clock() + chore.every_seconds
