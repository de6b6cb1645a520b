"""Whether the store answers: a time limit for requests to it, and a report when an outage begins and ends."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from time import monotonic

from services.api.errors import unavailable
from shared.process.dependencies import DependencyStatus
from shared.store.ports import StoreUnavailable


class StoreHealth:
    """Reports an outage by the failures of the API's own requests."""

    def __init__(self) -> None:
        self._status = DependencyStatus("mongodb")
        self._answered_at = -1.0

    @asynccontextmanager
    async def time_limit(self, seconds: float | None) -> AsyncIterator[None]:
        """Limit the block, which ends with a request to the store; None: the block has a limit of its own.

        The driver's own limits are for single operations.

        Raises:
            ApiError: the store does not answer (503).
        """
        started_at = monotonic()
        try:
            async with asyncio.timeout(seconds):
                yield
        except (StoreUnavailable, TimeoutError) as error:
            # A request that started before the latest answer has failed by an outage that is over.
            if started_at >= self._answered_at:
                self._status.unavailable(str(error) or type(error).__name__)
            raise unavailable() from error
        self._answered_at = monotonic()
        self._status.recovered()
