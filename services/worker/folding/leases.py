"""What the worker does with leased calls: leases are renewed, released, or end with the call `broken`."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence

from services.worker import metrics
from services.worker.folding.schedule import FoldSchedule
from services.worker.runtime.retry import retry_until_available
from shared.calls.fold_call import FoldStats
from shared.calls.leased_folds import LeasedFolds, Outcome
from shared.contract.problems import ProblemKind
from shared.fold.prices import PriceBook
from shared.process.logs import logger
from shared.store.models import Lease
from shared.store.ports import Store, StoreUnavailable

log = logger(__name__)

_RENEWALS = 4


class Leases(LeasedFolds):
    """Leased calls of the worker; `clock` gives Unix milliseconds."""

    def __init__(
        self,
        store: Store,
        book: PriceBook,
        schedule: FoldSchedule,
        *,
        lease_seconds: float,
        clock: Callable[[], int],
        stepped: Callable[[], None],
    ) -> None:
        """`stepped` is called with each call that is done."""
        super().__init__(store, book, renew_seconds=lease_seconds / _RENEWALS)
        self._schedule = schedule
        self._clock = clock
        self._stepped = stepped

    async def work(self, leases: Sequence[Lease], act: Callable[[], Awaitable[Outcome]]) -> Outcome:
        """Return what `act` makes of the leased calls; if it is aborted, release the leases that are left.

        A result that was stored by then has ended its lease, so that the release does not change it. `act` may take
        leases off the list, which it then keeps.
        """
        try:
            async with self.renewed(leases):
                return await act()
        except asyncio.CancelledError:
            with contextlib.suppress(StoreUnavailable):
                await asyncio.shield(self.release(leases))
            raise
        except StoreUnavailable:
            # Not left to expire: an attempt that the store aborted must not count against the call.
            log.warning("fold_round_aborted", calls=len(leases))
            await retry_until_available("mongodb", lambda: self.release(leases), StoreUnavailable)
            return Outcome(released=len(leases))

    def postpone(self, lease: Lease, seconds: float) -> None:
        """Let a call that was folded, or could not be, wait before the next fold: the longer, the longer it took."""
        self._schedule.folded(lease.call, self._clock(), seconds)

    def on_failed(self, event: str, leases: Sequence[Lease], error: Exception) -> None:
        log.error(event, calls=[lease.call for lease in leases], exc_info=error)

    def on_folded(self, lease: Lease, stats: FoldStats) -> None:
        self._stepped()
        metrics.FOLD_SECONDS.observe(stats.seconds)
        metrics.INVALID_LOGGED_EVENTS.inc(stats.invalid)
        metrics.UNRATED_USAGE.inc(stats.problems.get(ProblemKind.UNRATED_PRODUCT, 0))
        for kind, count in stats.problems.items():
            metrics.PROBLEMS.labels(kind).inc(count)
        self.postpone(lease, stats.seconds)

    def on_stored(self, lease: Lease, *, final: bool, overtaken: bool) -> None:
        self._stepped()
        if overtaken:
            self.on_released(lease)
        metrics.FOLDS.labels("overtaken" if overtaken else "final" if final else "live").inc()

    def on_broken(self, lease: Lease, reason: str) -> None:
        self._stepped()
        metrics.BROKEN.inc()
        metrics.FOLDS.labels("broken").inc()
        log.error("call_broken", call=lease.call, reason=reason)

    def on_released(self, lease: Lease) -> None:
        self._stepped()
        self._schedule.observe(lease.call, lease.partition, lease.last_arrival, stale_since=self._clock())
