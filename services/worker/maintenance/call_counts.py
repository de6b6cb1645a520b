"""Counts the calls of this worker's partitions, for the metrics."""

from collections.abc import Callable

from services.worker import metrics
from shared.process.clock import now_ms, steady_ms
from shared.store.ports import Store

MOST_CALLS = 50_000
"""Of each state: to count so many keys of an index takes MongoDB some ten milliseconds."""


EVERY_MS = 10_000
"""Of the same partitions; others are counted at once, so that a sum over the workers soon has each call once."""


class CallCountsJob:
    """`owned` returns the partitions of this worker, None while the group rebalances: what was counted stays."""

    def __init__(
        self,
        store: Store,
        owned: Callable[[], frozenset[int] | None],
        clock: Callable[[], int] = now_ms,
        steady: Callable[[], int] = steady_ms,
    ) -> None:
        self._store = store
        self._owned = owned
        self._clock = clock
        self._steady = steady
        self._counted: frozenset[int] | None = None
        self._due = 0

    async def run(self) -> None:
        """Count them once, if that is due.

        Raises:
            StoreUnavailable: the store does not answer.
        """
        owned = self._owned()
        if owned is None or (owned == self._counted and self._steady() < self._due):
            return
        # First, so that it is not asked more often while it does not answer.
        self._counted, self._due = owned, self._steady() + EVERY_MS
        counts = await self._store.call_counts(owned, MOST_CALLS)
        metrics.LIVE_CALLS.set(counts.live)
        metrics.STALE_CALLS.set(counts.stale)
        metrics.BROKEN_CALLS.set(counts.broken)
        waits = 0 if counts.oldest_stale is None else self._clock() - counts.oldest_stale
        metrics.OLDEST_STALE_CALL.set(max(0, waits) / 1000)
