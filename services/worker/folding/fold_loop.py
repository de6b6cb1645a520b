"""The folder: runs beside the batches, and folds the calls that are stale and ripe. States: shared/store/states.py."""

import asyncio
import time
import uuid
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from typing import TypeVar

from services.worker.folding.large_folds import LargeFolds
from services.worker.folding.leases import Leases, Outcome, observe
from services.worker.folding.schedule import FoldSchedule, Watermark
from services.worker.runtime.retry import retry_until_available
from shared.calls.fold_call import fold_call
from shared.calls.large_calls import LARGE_BYTES, LargeCalls
from shared.fold.prices import PriceBook
from shared.process import metrics
from shared.process.batching import grouped
from shared.process.clock import now_ms
from shared.process.logs import logger
from shared.store.ids import LogDocument
from shared.store.ports import FoldResult, Lease, StaleCall, Store, StoreUnavailable, Unstorable
from shared.store.states import MAX_ATTEMPTS

log = logger(__name__)
T = TypeVar("T", Lease, tuple[Lease, FoldResult])

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
        self._book = book
        self._schedule = schedule
        self._watermarks = watermarks
        self._leases = Leases(store, schedule, lease_seconds=lease_seconds, clock=clock)
        self._large_folds = LargeFolds(large, self._leases, most=most_large)
        self._poll_seconds = poll_seconds
        self._clock = clock
        self._round_calls = _ROUND_CALLS
        self._folding = asyncio.Lock()
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
        suspects = _suspects(leases)
        outcome = await self._leases.work(leases, lambda: self._fold_round(leases)) if leases else Outcome()
        for suspect in suspects:
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
        hopeless = [lease for lease in leases if lease.attempts > MAX_ATTEMPTS]
        outcome = await self._leases.mark_broken(hopeless, "the process ended in each attempt")
        suspects = {lease.call for lease in _suspects(leases)}
        await self._store.release(suspects, leases[0].token)
        hopeful = [lease for lease in leases if lease.attempts <= MAX_ATTEMPTS and lease.call not in suspects]
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
            outcome += await self._fold_group(group)
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
                self._leases.folded(lease, 0)
        return await self._leases.release(too_many)

    async def _sizes(self, leases: Sequence[Lease]) -> dict[str, int]:
        try:
            return await self._store.sizes([lease.call for lease in leases])
        except StoreUnavailable:
            raise
        except Exception:
            log.exception("log_unreadable", calls=len(leases))
            return dict.fromkeys((lease.call for lease in leases), LARGE_BYTES - 1)

    async def _fold_group(self, group: Sequence[Lease]) -> Outcome:
        try:
            log_of = await self._store.read([lease.call for lease in group])
        except StoreUnavailable:
            raise
        except Exception:
            log.exception("log_unreadable", calls=len(group))
            return await self._one_by_one(group, self._fold_group, "its log cannot be read")
        async with self._folding:
            results, broken = await self._fold_each(group, log_of)
        del log_of  # it need not stay in memory until the results are stored
        return await self._leases.mark_broken(broken, "the fold failed") + await self._store_results(results)

    async def _fold_each(
        self, group: Sequence[Lease], log_of: Mapping[str, Sequence[LogDocument]]
    ) -> tuple[list[tuple[Lease, FoldResult]], list[Lease]]:
        """Return the results, and the claims of calls that cannot be folded."""
        results: list[tuple[Lease, FoldResult]] = []
        broken: list[Lease] = []
        for lease in group:
            await asyncio.sleep(0)  # the batches go first
            try:
                results.append((lease, await self._fold(lease, log_of[lease.call])))
            except StoreUnavailable:
                raise
            except Exception:
                log.exception("fold_failed", call=lease.call)
                broken.append(lease)
        return results, broken

    async def _one_by_one(
        self, items: Sequence[T], act: Callable[[Sequence[T]], Awaitable[Outcome]], why: str
    ) -> Outcome:
        """Do with each what cannot be done with all of them, to tell the one that is the trouble from its company."""
        if len(items) == 1:
            (item,) = items
            return await self._leases.mark_broken([item if isinstance(item, Lease) else item[0]], why)
        outcome = Outcome()
        for item in items:
            outcome += await act([item])
        return outcome

    async def _fold(self, lease: Lease, documents: Sequence[LogDocument]) -> FoldResult:
        started = time.perf_counter()
        done = await fold_call(self._store, lease, documents, self._book)
        seconds = time.perf_counter() - started
        observe(done.folded.conflicts, done.invalid, done.folded.rating_warnings, seconds)
        self._leases.folded(lease, seconds)
        return done.result

    async def _store_results(self, results: Sequence[tuple[Lease, FoldResult]]) -> Outcome:
        if not results:
            return Outcome()
        try:
            lost = await self._store.store_results(results)
        except Unstorable:
            return await self._one_by_one(results, self._store_results, "the store refuses its record")
        outcome = Outcome()
        for lease, result in results:
            outcome += self._leases.stored(lease, final=result.final, overtaken=lease.call in lost)
        return outcome


def _fitting(leases: Sequence[Lease], sizes: Mapping[str, int]) -> tuple[Sequence[Lease], Sequence[Lease]]:
    """Return the first of these claims, of about so many bytes as a round folds, and the rest."""
    total = 0
    for place, lease in enumerate(leases):
        if total >= _ROUND_BYTES:
            return leases[:place], leases[place:]
        total += sizes[lease.call]
    return leases, ()


def _suspects(leases: Sequence[Lease]) -> list[Lease]:
    """Return the claims to be given back, and made and folded one by one: one of them may have ended its process.

    An attempt counts against all that is claimed when a process ends: in company it would break the others too.
    """
    return [lease for lease in leases if 1 < lease.attempts <= MAX_ATTEMPTS] if len(leases) > 1 else []
