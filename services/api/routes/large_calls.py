"""Reading large calls: they are folded in the pool, for a limited number of requests at a time."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

from services.api.errors import busy
from shared.calls.large_calls import LargeCalls, LargeReading, PoolUnavailable, ProcessEnded
from shared.calls.views import View
from shared.process.logs import logger
from shared.process.single_flight import SingleFlight

log = logger(__name__)


class LargeCallReader:
    """Serves at most `capacity` requests at once; each waits at most `timeout` seconds for the fold."""

    def __init__(self, large_calls: LargeCalls, *, capacity: int, timeout: float) -> None:
        self._capacity = capacity
        self._used = 0
        self._timeout = timeout
        self._folds = {view: SingleFlight(partial(large_calls.read, view=view)) for view in View}

    @asynccontextmanager
    async def slot(self) -> AsyncIterator[None]:
        """Hold a slot until the response is sent: each may hold a record of a hundred megabytes.

        Raises:
            ApiError: all slots are in use, or as many folds are still running after their requests timed out (503).
        """
        if max(self._used, sum(map(len, self._folds.values()))) >= self._capacity:
            raise busy()
        self._used += 1
        try:
            yield
        finally:
            self._used -= 1

    async def read(self, call: str, view: View) -> LargeReading | None:
        """Return the record of a call, or its details, as of this request or later.

        Raises:
            ApiError: the fold takes too long, or the pool has failed in a way that need not last (503).
        """
        try:
            async with asyncio.timeout(self._timeout):
                return await self._folds[view].get(call)
        except (TimeoutError, ProcessEnded, PoolUnavailable) as error:
            log.warning("large_call_not_read", call=call, why=str(error) or "timeout")
            raise busy() from error
