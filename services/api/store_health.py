"""Whether the store answers: the limit on waiting for it, and a line when it goes away and when it is back."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from time import monotonic

from services.api.errors import unavailable
from shared.process import metrics
from shared.process.logs import logger
from shared.store.ports import StoreUnavailable

log = logger(__name__)

_WHAT = "mongodb"  # as the worker calls it


class Availability:
    """What the API knows of the store, by what became of its own questions."""

    def __init__(self) -> None:
        self._said: set[type[Exception]] = set()
        self._answered_at = -1.0

    @asynccontextmanager
    async def within(self, seconds: float | None) -> AsyncIterator[None]:
        """Give the block, which ends by asking the store something, so many seconds; None: it has its own limit.

        The driver has limits of its own, but for each operation.

        Raises:
            Refused: the store does not answer (503).
        """
        asked_at = monotonic()
        try:
            async with asyncio.timeout(seconds):
                yield
        except (StoreUnavailable, TimeoutError) as error:
            self._failed(asked_at, error)
            raise unavailable() from error
        self._answered()

    def _failed(self, asked_at: float, error: Exception) -> None:
        # A question from before the latest answer has failed with an outage that is over.
        if asked_at < self._answered_at or type(error) in self._said:
            return
        self._said.add(type(error))  # a password can be wrong where a server was away
        metrics.DEPENDENCY_UNAVAILABLE.labels(_WHAT).set(1)
        log.warning("dependency_unavailable", dependency=_WHAT, error=str(error)[:300] or type(error).__name__)

    def _answered(self) -> None:
        self._answered_at = monotonic()
        if self._said:
            self._said.clear()
            metrics.DEPENDENCY_UNAVAILABLE.labels(_WHAT).set(0)
            log.info("dependency_recovered", dependency=_WHAT)
