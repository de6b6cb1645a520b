"""The folder: runs beside the batches, and folds the calls that are stale and ripe. States: shared/store/states.py."""

import asyncio
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence

from services.worker.folding.large_folds import LargeFolds
from services.worker.folding.leases import Leases
from services.worker.folding.schedule import FoldSchedule, Watermark
from services.worker.runtime.retry import retry_until_available
from shared.calls.large_calls import LARGE_BYTES, LargeCalls
from shared.calls.leased_folds import Outcome, suspects
from shared.fold.cost import PriceBook
from shared.process import metrics
from shared.process.batching import grouped
from shared.process.clock import now_ms
from shared.process.logs import logger
from shared.store.models import Lease, StaleCall
from shared.store.ports import Store, StoreUnavailable

log = logger(__name__)

_ROUND_CALLS = 200
_ROUND_BYTES = 32 * 1024 * 1024
_GROUP_BYTES = 2 * 1024 * 1024
_CONCURRENCY = 2
_MANY = 10_000


class FoldLoop:
    """Folds the calls of the partitions that `reached` tells of."""

    def __init__(
        self,
        store: Store,
        book: PriceBook,
        schedule: FoldSchedule,
        watermarks: Callable[[], dict[int, Watermark]],
        *,
        large: LargeCalls,
        most_large: int,
        lease_seconds: float,
        poll_seconds: float,
        clock: Callable[[], int] = now_ms,
    ) -> None:
        self._store = store
        self._schedule = schedule
        self._watermarks = watermarks
        self._leases = Leases(store, book, schedule, lease_seconds=lease_seconds, clock=clock)
        self._large_folds = LargeFolds(large, self._leases, most=most_large)
        self._poll_seconds = poll_seconds
        self._clock = clock
        self._round_calls = _ROUND_CALLS
        self._next_poll = 0.0
        self._owned: frozenset[int] = frozenset()

    async def step(self) -> Outcome:
        """Fold what is ripe now, at most one round of it; return what has become of calls since the last step.

        Raises:
            StoreUnavailable: the store does not answer; nothing is claimed.
        """
        watermarks = self._watermarks()
        await self._look_around(frozenset(watermarks))
        due = self._schedule.take(watermarks, self._clock(), self._round_calls)
        metrics.STALE_CALLS.set(len(self._schedule) + len(due))
        return self._large_folds.outcome() + (await self._round(due) if due else Outcome())

    async def settle(self) -> None:
        """Return when nothing is being folded beside the steps."""
        await self._large_folds.settle()

    async def stop(self) -> None:
        """Break off what is being folded beside the steps, and give it back."""
        await self._large_folds.stop()

    async def _round(self, due: Sequence[StaleCall]) -> Outcome:
        calls, token = [waiting.call for waiting in due], uuid.uuid4().hex
        try:
            leases = await self._store.lease(calls, token)
        except StoreUnavailable:
            # The claims may have been made and only the answer lost: not left to run out either.
            await retry_until_available("mongodb", lambda: self._store.release(calls, token), StoreUnavailable)
            self._schedule.add(due)
            return Outcome(released=len(calls))
        alone = suspects(leases)
        outcome = await self._leases.work(leases, lambda: self._fold_round(leases)) if leases else Outcome()
        for suspect in alone:
            outcome += await self._round([each for each in due if each.call == suspect.call])
        return outcome

    async def _look_around(self, owned: frozenset[int]) -> None:
        """Find stale calls that nobody told of: left by another worker, or by another process of this one."""
        now = time.monotonic()
        if owned != self._owned:
            self._schedule.keep(owned)
        elif now < self._next_poll:
            return
        found = await self._store.stale_calls(owned, _MANY) if owned else []
        self._schedule.add(found)
        self._owned = owned
        self._next_poll = now + (self._poll_seconds if len(found) < _MANY else min(1.0, self._poll_seconds))

    async def _fold_round(self, leases: list[Lease]) -> Outcome:
        outcome, hopeful = await self._leases.triage(leases)
        sizes = await self._sizes(hopeful) if hopeful else {}
        hopeful.sort(key=lambda lease: sizes[lease.call])
        large = [lease for lease in hopeful if sizes[lease.call] >= LARGE_BYTES]
        fitting, rest = _fitting(hopeful[: len(hopeful) - len(large)], sizes)
        self._round_calls = len(fitting) if rest else min(_ROUND_CALLS, 2 * self._round_calls)
        outcome += await self._hand_over(large, leases) + await self._leases.release(rest)
        return outcome + await self._fold_groups(list(grouped(fitting, lambda lease: sizes[lease.call], _GROUP_BYTES)))

    async def _fold_groups(self, groups: Sequence[Sequence[Lease]]) -> Outcome:
        """Fold one group at a time while the store is busy with another: reads it, or takes its results."""
        left = iter(groups)
        beside = [asyncio.create_task(self._lane(left)) for _ in groups[1:_CONCURRENCY]]
        try:
            outcome = await self._lane(left)
            return sum([await lane for lane in beside], outcome)
        finally:
            # When claims are given back, nobody is to be at work with them.
            for lane in beside:
                lane.cancel()
            await asyncio.gather(*beside, return_exceptions=True)

    async def _lane(self, left: Iterator[Sequence[Lease]]) -> Outcome:
        outcome = Outcome()
        for group in left:
            outcome += await self._leases.fold(group)
        return outcome

    async def _hand_over(self, large: Sequence[Lease], leases: list[Lease]) -> Outcome:
        """Have large calls folded beside, as many as may wait for that; the others are given back for a while."""
        too_many = []
        for lease in large:
            if self._large_folds.has_room_for(lease):
                leases.remove(lease)
                self._large_folds.take(lease)
            else:
                too_many.append(lease)
                self._leases.postpone(lease, 0)
        return await self._leases.release(too_many)

    async def _sizes(self, leases: Sequence[Lease]) -> dict[str, int]:
        try:
            return await self._store.sizes([lease.call for lease in leases])
        except StoreUnavailable:
            raise
        except Exception:
            log.exception("log_unreadable", calls=len(leases))
            return dict.fromkeys((lease.call for lease in leases), LARGE_BYTES - 1)


def _fitting(leases: Sequence[Lease], sizes: Mapping[str, int]) -> tuple[Sequence[Lease], Sequence[Lease]]:
    """Return the first of these claims, of about so many bytes as a round folds, and the rest."""
    total = 0
    for place, lease in enumerate(leases):
        if total >= _ROUND_BYTES:
            return leases[:place], leases[place:]
        total += sizes[lease.call]
    return leases, ()
