"""Leased calls: their leases are renewed, released, or end in a result or in `broken`."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from services.worker.folding.schedule import FoldSchedule
from services.worker.runtime.retry import retry_until_available
from shared.fold.cost import RatingWarnings
from shared.process import metrics
from shared.process.logs import logger
from shared.store.ports import Lease, Store, StoreUnavailable

log = logger(__name__)

_RENEWALS = 4


@dataclass(frozen=True, slots=True)
class Outcome:
    """How many calls were stored, overtaken by a new event, marked broken, or released."""

    stored: int = 0
    overtaken: int = 0
    broken: int = 0
    released: int = 0

    def __add__(self, other: "Outcome") -> "Outcome":
        return Outcome(
            self.stored + other.stored,
            self.overtaken + other.overtaken,
            self.broken + other.broken,
            self.released + other.released,
        )


class Leases:
    """Keeps leases while calls are folded; `clock` returns Unix milliseconds."""

    def __init__(self, store: Store, schedule: FoldSchedule, *, lease_seconds: float, clock: Callable[[], int]) -> None:
        self._store = store
        self._schedule = schedule
        self._lease_seconds = lease_seconds
        self._clock = clock

    async def work(self, leases: Sequence[Lease], act: Callable[[], Awaitable[Outcome]]) -> Outcome:
        """Return the outcome of `act`, and renew the leases meanwhile; if it is stopped, release those that are left.

        A stored call has lost its token by then, so that a release does not affect it. `act` may remove leases from the
        list: they are neither renewed nor released here any more.
        """
        renewal = asyncio.create_task(self._renew(leases, leases[0].token))
        try:
            return await act()
        except asyncio.CancelledError:
            with contextlib.suppress(StoreUnavailable):
                await asyncio.shield(self.release(leases))
            raise
        except StoreUnavailable:
            # Released, not left to expire: an attempt that the store stopped must not count against the call.
            log.warning("fold_round_aborted", calls=len(leases))
            await retry_until_available("mongodb", lambda: self.release(leases), StoreUnavailable)
            return Outcome(released=len(leases))
        finally:
            renewal.cancel()

    async def release(self, leases: Sequence[Lease]) -> Outcome:
        """Release leases without a result; the calls are stale as before."""
        if leases:
            await self._store.release([lease.call for lease in leases], leases[0].token)
        for lease in leases:
            self.wait_again(lease)
        return Outcome(released=len(leases))

    def wait_again(self, lease: Lease) -> None:
        """Schedule a call that was leased again."""
        self._schedule.observe(lease.call, lease.partition, lease.last_arrival, stale_since=self._clock())

    async def mark_broken(self, leases: Sequence[Lease], reason: str) -> Outcome:
        """Mark calls that cannot be folded."""
        if not leases:
            return Outcome()
        await self._store.mark_broken(leases)
        metrics.BROKEN.inc(len(leases))
        metrics.FOLDS.labels("broken").inc(len(leases))
        for lease in leases:
            log.error("call_broken", call=lease.call, reason=reason)
        return Outcome(broken=len(leases))

    def stored(self, lease: Lease, *, final: bool, overtaken: bool) -> Outcome:
        """Count a result that was stored, or overtaken by a new event."""
        if overtaken:
            self.wait_again(lease)
        metrics.FOLDS.labels("overtaken" if overtaken else "final" if final else "live").inc()
        return Outcome(overtaken=1) if overtaken else Outcome(stored=1)

    def folded(self, lease: Lease, seconds: float) -> None:
        self._schedule.folded(lease.call, self._clock(), seconds)

    async def _renew(self, leases: Sequence[Lease], token: str) -> None:
        while True:
            await asyncio.sleep(self._lease_seconds / _RENEWALS)
            with contextlib.suppress(StoreUnavailable):  # the fold meets the same error and reports it
                await self._store.renew([lease.call for lease in leases], token)


def observe(conflicts: int, invalid: int, rating_warnings: RatingWarnings, seconds: float) -> None:
    """Count a fold in the metrics."""
    metrics.FOLD_SECONDS.observe(seconds)
    metrics.CONFLICTS.inc(conflicts)
    metrics.INVALID_LOGGED_EVENTS.inc(invalid)
    metrics.RATING_WARNINGS.labels("unknown_direction").inc(rating_warnings.unknown_direction)
    metrics.RATING_WARNINGS.labels("unknown_product").inc(len(rating_warnings.unknown_products))
    metrics.RATING_WARNINGS.labels("usage_of_timed_product").inc(len(rating_warnings.ignored_usage))
