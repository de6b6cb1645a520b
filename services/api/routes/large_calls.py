"""Reading large calls: folded in the pool, for few readers at a time; the others are told to come again."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from services.api.errors import busy
from shared.calls.large_calls import LargeCalls, LargeReading, PoolUnavailable, ProcessEnded
from shared.process.logs import logger
from shared.process.single_flight import SingleFlight

log = logger(__name__)


class LargeReads:
    """Readers of large calls: at most `most` at once, each of whom waits `patience` seconds at most."""

    def __init__(self, folds: LargeCalls, *, most: int, patience: float) -> None:
        self._most = most
        self._taken = 0
        self._patience = patience
        self._folding = SingleFlight(folds.read)

    @asynccontextmanager
    async def place(self) -> AsyncIterator[None]:
        """Give one reader a place, until the answer is sent: each may hold a record of a hundred megabytes.

        Raises:
            Refused: all places are taken, or folds that nobody waits for any longer take as long (503).
        """
        if max(self._taken, len(self._folding)) >= self._most:
            raise busy()
        self._taken += 1
        try:
            yield
        finally:
            self._taken -= 1

    async def read(self, call: str) -> LargeReading | None:
        """Return the record of a call, as it stood when this was asked for or later.

        Raises:
            Refused: it takes too long, or the pool has failed in a way that need not last (503).
        """
        try:
            async with asyncio.timeout(self._patience):
                return await self._folding.get(call)
        except (TimeoutError, ProcessEnded, PoolUnavailable) as error:
            log.warning("large_call_not_read", call=call, why=str(error) or "others were ahead")
            raise busy() from error
