"""Folding leased calls in groups; a call that fails is isolated from the others of its group and marked as broken."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from shared.calls.fold_call import FoldStats, fold_call
from shared.fold.prices import PriceBook
from shared.store.models import FoldResult, Lease, LogDocument
from shared.store.ports import Store, StoreUnavailable, Unstorable
from shared.store.states import MAX_ATTEMPTS

T = TypeVar("T", Lease, tuple[Lease, FoldResult])

TURNS = 4
"""Turns of the event loop between two folds. An answer of the store takes so many to its batch: with one, each waits
for a fold."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of leased calls: how many were stored, were marked stale meanwhile, are broken, were released."""

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


class LeasedFolds:
    """Folds leased calls. A program overrides the `on_...` methods to record what happens."""

    def __init__(self, store: Store, book: PriceBook, *, renew_seconds: float) -> None:
        self._store = store
        self._book = book
        self._renew_seconds = renew_seconds
        self._folding = asyncio.Lock()

    def on_failed(self, event: str, leases: Sequence[Lease], error: Exception) -> None:
        """Record an error of a group or a call; `event` is `log_unreadable` or `fold_failed`."""

    def on_folded(self, lease: Lease, stats: FoldStats) -> None:
        """Record that a call was folded."""

    def on_stored(self, lease: Lease, *, final: bool, overtaken: bool) -> None:
        """Record that a result was stored, or was not because the call was marked stale meanwhile."""

    def on_broken(self, lease: Lease, reason: str) -> None:
        """Record that a call was marked as broken."""

    def on_released(self, lease: Lease) -> None:
        """Record that a lease was released, so that the call is stale."""

    @contextlib.asynccontextmanager
    async def renewed(self, leases: Sequence[Lease]) -> AsyncIterator[None]:
        """Renew the leases meanwhile: those that are in `leases` at the time."""
        renewal = asyncio.create_task(self._renew(leases))
        try:
            yield
        finally:
            renewal.cancel()

    async def _renew(self, leases: Sequence[Lease]) -> None:
        while True:
            await asyncio.sleep(self._renew_seconds)
            if leases:
                with contextlib.suppress(StoreUnavailable):  # the fold meets it too, and reports it
                    await self._store.renew([lease.call for lease in leases], leases[0].token)

    async def release(self, leases: Sequence[Lease]) -> Outcome:
        """Give up leases without a result."""
        if leases:
            await self._store.release([lease.call for lease in leases], leases[0].token)
        for lease in leases:
            self.on_released(lease)
        return Outcome(released=len(leases))

    async def mark_broken(self, leases: Sequence[Lease], reason: str) -> Outcome:
        if leases:
            await self._store.mark_broken(leases)
        for lease in leases:
            self.on_broken(lease, reason)
        return Outcome(broken=len(leases))

    async def triage(self, leases: Sequence[Lease]) -> tuple[Outcome, list[Lease]]:
        """Return the leases to be folded together; mark calls without attempts left broken, and release `suspects`."""
        hopeless = [lease for lease in leases if lease.attempts > MAX_ATTEMPTS]
        outcome = await self.mark_broken(hopeless, "the process ended in each attempt")
        alone = suspects(leases)
        if leases:
            await self._store.release([lease.call for lease in alone], leases[0].token)
        return outcome, [lease for lease in leases if lease not in hopeless and lease not in alone]

    async def fold(self, leases: Sequence[Lease]) -> Outcome:
        """Read, fold and store a group of calls, which is small enough to be held in memory.

        Raises:
            StoreUnavailable: the store does not answer; any number of the calls may be stored.
        """
        try:
            log_of = await self._store.read([lease.call for lease in leases])
        except StoreUnavailable:
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, the other calls are folded
            self.on_failed("log_unreadable", leases, error)
            return await self._one_by_one(leases, self.fold, "its log cannot be read")
        async with self._folding:
            outcome, results = await self._fold_each(leases, log_of)
        del log_of  # it need not stay in memory until the results are stored
        return outcome + await self._store_results(results)

    async def _fold_each(
        self, leases: Sequence[Lease], log_of: Mapping[str, Sequence[LogDocument]]
    ) -> tuple[Outcome, list[tuple[Lease, FoldResult]]]:
        results: list[tuple[Lease, FoldResult]] = []
        outcome = Outcome()
        for lease in leases:
            for _ in range(TURNS):  # the batches go first
                await asyncio.sleep(0)
            try:
                done = await fold_call(self._store, lease, log_of[lease.call], self._book)
            except StoreUnavailable:
                raise
            except Exception as error:  # noqa: BLE001 - whatever it is, the other calls are folded
                self.on_failed("fold_failed", [lease], error)
                outcome += await self.mark_broken([lease], f"the fold failed with {type(error).__name__}")
            else:
                self.on_folded(lease, done.stats)
                results.append((lease, done.result))
        return outcome, results

    async def _store_results(self, results: Sequence[tuple[Lease, FoldResult]]) -> Outcome:
        if not results:
            return Outcome()
        try:
            lost = await self._store.store_results(results)
        except Unstorable:
            return await self._one_by_one(results, self._store_results, "the store refuses its record")
        for lease, result in results:
            self.on_stored(lease, final=result.final, overtaken=lease.call in lost)
        return Outcome(stored=len(results) - len(lost), overtaken=len(lost))

    async def _one_by_one(
        self, items: Sequence[T], act: Callable[[Sequence[T]], Awaitable[Outcome]], reason: str
    ) -> Outcome:
        """Repeat with each item what failed with all of them; mark a call that fails alone as broken."""
        if len(items) == 1:
            (item,) = items
            return await self.mark_broken([item if isinstance(item, Lease) else item[0]], reason)
        outcome = Outcome()
        for item in items:
            outcome += await act([item])
        return outcome


def suspects(leases: Sequence[Lease]) -> list[Lease]:
    """Return the leases to be released, and made and folded one by one: one of the calls may have ended its process.

    When a process ends, an attempt counts against every call that it has leased: folded together, one would break all.
    """
    return [lease for lease in leases if 1 < lease.attempts <= MAX_ATTEMPTS] if len(leases) > 1 else []
