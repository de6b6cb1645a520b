"""Folds records again from the log while workers run, by the same code and under leases of its own."""

import asyncio
import uuid
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass

from services.ops.console import print_error
from shared.calls.fold_again import fold_again, is_whole
from shared.calls.leased_folds import LeasedFolds, Outcome, suspects
from shared.fold.fold import RULES_VERSION
from shared.fold.prices import PriceBook
from shared.process.batching import grouped
from shared.store.ids import named
from shared.store.models import CallHeader, CallUpdate, Lease
from shared.store.ports import Store, StoreUnavailable
from shared.store.states import State

_PAGE = 200
_GROUP_BYTES = 4 * 1024 * 1024
_RENEW_SECONDS = 5.0


class NoSuchCall(Exception):
    """The log has no events of the call."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which calls: those of one organization, None for all, that follow the call `after`.

    `outdated`: those whose record has other rules or another price book than the present ones; `broken`: those that
    could not be folded; both: either.
    """

    organization: str | None = None
    after: str | None = None
    outdated: bool = False
    broken: bool = False

    def includes(self, header: CallHeader | None, book_version: str) -> bool:
        """Return whether a call is to be folded again; `header` is None if only the log has the call."""
        if header is None:
            return not (self.outdated or self.broken)
        if header.state is State.DELETED:
            return False  # its log is about to be deleted
        broken = header.state is State.BROKEN
        if self.outdated or self.broken:
            versions = (header.rules_version, header.price_book_version)
            outdated = header.rules_version is not None and versions != (RULES_VERSION, book_version)
            return (self.broken and broken) or (self.outdated and outdated)
        # A live call without a stored record has nothing to rebuild.
        return broken or header.state is not State.LIVE or header.rules_version is not None


@dataclass(slots=True)
class Tally:
    """How many calls were seen, rebuilt, could not be folded, and were left to the workers that had leased them.

    `last` is the call up to which, in the log's order, all calls are done.
    """

    seen: int = 0
    rebuilt: int = 0
    broken: int = 0
    left: int = 0
    last: str | None = None


Report = Callable[[Tally], None]


class _Folds(LeasedFolds):
    def on_broken(self, lease: Lease, reason: str) -> None:
        print_error(f"{named(lease.call)} is broken: {reason}")


class Rebuilding:
    """One run. `partitions` returns how many partitions an input topic has; only calls without a header need it."""

    def __init__(self, store: Store, book: PriceBook, partitions: Callable[[], Awaitable[int]]) -> None:
        self._store = store
        self._book = book
        self._folds = _Folds(store, book, renew_seconds=_RENEW_SECONDS)
        self._partitions = partitions
        self._known_partitions = 0
        self.tally = Tally()

    async def all(self, wanted: Wanted, report: Report) -> Tally:
        """Fold all wanted calls, page by page.

        Raises:
            StoreUnavailable: the store does not answer; the run can continue after `tally.last`.
        """
        after = wanted.after
        while calls := await self._store.logged_calls(_PAGE, after, wanted.organization):
            await self.some(calls, wanted)
            after = self.tally.last = calls[-1]
            report(self.tally)
        return self.tally

    async def one(self, call: str, wanted: Wanted) -> None:
        """Fold one call, if it is wanted.

        Raises:
            NoSuchCall: the log has no events of it.
        """
        if not (await self._store.sizes([call]))[call]:
            raise NoSuchCall(call)
        await self.some([call], wanted)

    async def some(self, calls: Sequence[str], wanted: Wanted) -> None:
        """Fold those of these calls that are wanted."""
        headers = await self._store.headers(calls)
        self.tally.seen += len(calls)
        chosen = [call for call in calls if wanted.includes(headers.get(call), self._book.version)]
        if chosen:
            await self._store.mark_stale([await self._update(call, headers.get(call)) for call in chosen])
            await self._fold(chosen)

    async def _update(self, call: str, header: CallHeader | None) -> CallUpdate:
        if not is_whole(header):
            self._known_partitions = self._known_partitions or await self._partitions()
        return fold_again(call, header, self._known_partitions)

    async def _fold(self, calls: Sequence[str]) -> None:
        token = uuid.uuid4().hex
        try:
            leases = await self._store.lease(calls, token)
            async with self._folds.renewed(leases):
                outcome, together = await self._folds.triage(leases)
                self._count(outcome, left=len(calls) - len(leases))
                await self._fold_groups(together)
        finally:
            # After a failure or Ctrl-C the workers get the calls at once, not when the leases expire.
            with suppress(StoreUnavailable):
                await asyncio.shield(self._store.release(calls, token))
        for suspect in suspects(leases):
            await self._fold([suspect.call])

    async def _fold_groups(self, leases: Sequence[Lease]) -> None:
        sizes = await self._store.sizes([lease.call for lease in leases]) if leases else {}
        for group in grouped(leases, lambda lease: sizes[lease.call], _GROUP_BYTES):
            self._count(await self._folds.fold(group))

    def _count(self, outcome: Outcome, *, left: int = 0) -> None:
        self.tally.rebuilt += outcome.stored
        self.tally.broken += outcome.broken
        self.tally.left += outcome.overtaken + left
