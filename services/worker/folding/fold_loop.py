"""The fold loop: folds stale calls that are due, concurrently with the batches. States: shared/store/states.py."""

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
from shared.fold.prices import PriceBook
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
_MOST_CALLS = 10_000


class FoldLoop:
    """Folds the calls of the partitions that `watermarks` returns."""

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
        stepped: Callable[[], None] = lambda: None,
    ) -> None:
        """`stepped` is called whenever the loop goes on."""
        self._store = store
        self._schedule = schedule
        self._watermarks = watermarks
        self._leases = Leases(store, book, schedule, lease_seconds=lease_seconds, clock=clock, stepped=stepped)
        self._large_folds = LargeFolds(large, self._leases, most=most_large)
        self._poll_seconds = poll_seconds
        self._clock = clock
        self._stepped = stepped
        self._round_calls = _ROUND_CALLS
        self._next_poll = 0.0
        self._owned: frozenset[int] = frozenset()

    async def step(self) -> Outcome:
        """Fold the calls that are due, at most one round; return the outcome, also of large folds that ended meanwhile.

        Raises:
            StoreUnavailable: the store does not answer; nothing is leased.
        """
        self._stepped()
        watermarks = self._watermarks()
        await self._find_stale(frozenset(watermarks))
        now = self._clock()
        for _ in self._schedule.find_due(watermarks, now):
            await asyncio.sleep(0)  # in a backlog many thousands may become due at once
        due = self._schedule.pop_due(watermarks, now, self._round_calls)
        return self._large_folds.outcome() + (await self._round(due) if due else Outcome())

    async def wait(self) -> None:
        """Return when all large folds have ended."""
        await self._large_folds.wait()

    async def stop(self) -> None:
        """Cancel the large folds, and release their leases."""
        await self._large_folds.stop()

    async def _round(self, due: Sequence[StaleCall]) -> Outcome:
        calls, token = [waiting.call for waiting in due], uuid.uuid4().hex
        try:
            leases = await self._store.lease(calls, token)
        except StoreUnavailable:
            # The leases may be made and only the response lost: they are released, not left to expire.
            await retry_until_available("mongodb", lambda: self._store.release(calls, token), StoreUnavailable)
            self._schedule.add(due)
            return Outcome(released=len(calls))
        alone = suspects(leases)
        outcome = await self._leases.work(leases, lambda: self._fold_round(leases)) if leases else Outcome()
        for suspect in alone:
            outcome += await self._round([each for each in due if each.call == suspect.call])
        return outcome

    async def _find_stale(self, owned: frozenset[int]) -> None:
        """Find stale calls in the store: left by another worker, or by an earlier process of this one."""
        now = time.monotonic()
        if owned != self._owned:
            self._schedule.drop_others(owned)
        elif now < self._next_poll:
            return
        stale = await self._store.stale_calls(owned, _MOST_CALLS) if owned else []
        self._schedule.add(stale)
        self._owned = owned
        self._next_poll = now + (self._poll_seconds if len(stale) < _MOST_CALLS else min(1.0, self._poll_seconds))

    async def _fold_round(self, leases: list[Lease]) -> Outcome:
        outcome, foldable = await self._leases.triage(leases)
        sizes = await self._sizes(foldable) if foldable else {}
        foldable.sort(key=lambda lease: sizes[lease.call])
        large = [lease for lease in foldable if sizes[lease.call] >= LARGE_BYTES]
        fitting, rest = _fitting(foldable[: len(foldable) - len(large)], sizes)
        self._round_calls = len(fitting) if rest else min(_ROUND_CALLS, 2 * self._round_calls)
        outcome += await self._submit_large(large, leases) + await self._leases.release(rest)
        return outcome + await self._fold_groups(list(grouped(fitting, lambda lease: sizes[lease.call], _GROUP_BYTES)))

    async def _fold_groups(self, groups: Sequence[Sequence[Lease]]) -> Outcome:
        """Fold one group while the store reads another, or writes its results."""
        remaining = iter(groups)
        others = [asyncio.create_task(self._fold_remaining(remaining)) for _ in groups[1:_CONCURRENCY]]
        try:
            outcome = await self._fold_remaining(remaining)
            return sum([await task for task in others], outcome)
        finally:
            # No task may work with leases when they are released.
            for task in others:
                task.cancel()
            await asyncio.gather(*others, return_exceptions=True)

    async def _fold_remaining(self, remaining: Iterator[Sequence[Lease]]) -> Outcome:
        outcome = Outcome()
        for group in remaining:
            outcome += await self._leases.fold(group)
        return outcome

    async def _submit_large(self, large: Sequence[Lease], leases: list[Lease]) -> Outcome:
        """Submit as many large calls as there is room for; release the others for a while."""
        too_many = []
        for lease in large:
            if self._large_folds.has_room_for(lease):
                leases.remove(lease)
                self._large_folds.submit(lease)
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
    """Return the first leases, of about as many bytes as a round folds, and the rest."""
    total = 0
    for number, lease in enumerate(leases):
        if total >= _ROUND_BYTES:
            return leases[:number], leases[number:]
        total += sizes[lease.call]
    return leases, ()
