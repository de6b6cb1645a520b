"""What is done with claimed calls, whoever folds them: claims are renewed, given back, or end in `broken`."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from services.worker.folding.schedule import Ripeness
from services.worker.runtime.retry import patiently
from shared.fold.cost import Remarks
from shared.process import metrics
from shared.process.logs import logger
from shared.store.ports import Claim, Store, StoreUnavailable

log = logger(__name__)

_RENEWALS = 4


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of calls: how many were stored, marked again meanwhile, broken, given back."""

    stored: int = 0
    marked_again: int = 0
    broken: int = 0
    released: int = 0

    def __add__(self, other: "Outcome") -> "Outcome":
        return Outcome(
            self.stored + other.stored,
            self.marked_again + other.marked_again,
            self.broken + other.broken,
            self.released + other.released,
        )


class Claimed:
    """Keeps claims while calls are folded; `clock` gives Unix milliseconds."""

    def __init__(self, store: Store, ripeness: Ripeness, *, claim_seconds: float, clock: Callable[[], int]) -> None:
        self._store = store
        self._ripeness = ripeness
        self._claim_seconds = claim_seconds
        self._clock = clock

    async def work(self, claims: Sequence[Claim], act: Callable[[], Awaitable[Outcome]]) -> Outcome:
        """Return what `act` makes of the claimed calls; whatever breaks it off, what it leaves is given back.

        What was stored by then holds the token no longer, so that giving back does nothing to it. `act` may take
        claims off the list: whoever has them then keeps them.
        """
        renewal = asyncio.create_task(self._renew(claims, claims[0].token))
        try:
            return await act()
        except asyncio.CancelledError:
            with contextlib.suppress(StoreUnavailable):
                await asyncio.shield(self.release(claims))
            raise
        except StoreUnavailable:
            # Not left to run out: an attempt that the store broke off must not count against the call.
            log.warning("round_broken_off", calls=len(claims))
            await patiently("mongodb", lambda: self.release(claims), StoreUnavailable)
            return Outcome(released=len(claims))
        finally:
            renewal.cancel()

    async def release(self, claims: Sequence[Claim]) -> Outcome:
        """Give claims back unused; the calls wait as before."""
        if claims:
            await self._store.release([claim.call for claim in claims], claims[0].token)
        for claim in claims:
            self.wait_again(claim)
        return Outcome(released=len(claims))

    def wait_again(self, claim: Claim) -> None:
        """Take in that a call that was claimed is stale."""
        self._ripeness.note(claim.call, claim.partition, claim.last_arrival, marked_at=self._clock())

    async def break_off(self, claims: Sequence[Claim], why: str) -> Outcome:
        """Say of calls that they cannot be folded."""
        if not claims:
            return Outcome()
        await self._store.break_off(claims)
        metrics.BROKEN.inc(len(claims))
        metrics.FOLDS.labels("broken").inc(len(claims))
        for claim in claims:
            log.error("call_broken", call=claim.call, why=why)
        return Outcome(broken=len(claims))

    def stored(self, claim: Claim, *, final: bool, marked_again: bool) -> Outcome:
        """Take in that a result was stored, or was overtaken by a mark."""
        if marked_again:
            self.wait_again(claim)
        metrics.FOLDS.labels("marked_again" if marked_again else "final" if final else "live").inc()
        return Outcome(marked_again=1) if marked_again else Outcome(stored=1)

    def folded(self, claim: Claim, seconds: float) -> None:
        """Take in that a call was folded, so that it is not folded again at once, the less so the longer it took."""
        self._ripeness.folded(claim.call, self._clock(), seconds)

    async def _renew(self, claims: Sequence[Claim], token: str) -> None:
        while True:
            await asyncio.sleep(self._claim_seconds / _RENEWALS)
            with contextlib.suppress(StoreUnavailable):  # the round itself meets it, and says so
                await self._store.renew([claim.call for claim in claims], token)


def observe(conflicts: int, invalid: int, remarks: Remarks, seconds: float) -> None:
    """Count what a fold remarked."""
    metrics.FOLD_SECONDS.observe(seconds)
    metrics.CONFLICTS.inc(conflicts)
    metrics.INVALID_IN_LOG.inc(invalid)
    metrics.UNRATED.labels("unknown_direction").inc(remarks.unknown_direction)
    metrics.UNRATED.labels("unknown_product").inc(len(remarks.unknown_products))
    metrics.UNRATED.labels("usage_of_timed_product").inc(len(remarks.ignored_usage))
