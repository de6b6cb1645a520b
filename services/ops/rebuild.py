"""Folding records anew from the log, while workers run: by the same steps as they, and with claims of its own."""

import asyncio
import uuid
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass

from services.ops.console import say
from shared.calls.fold_call import fold_call
from shared.fold.fold import RULES_VERSION
from shared.fold.prices import PriceBook
from shared.kafka.partitioner import partition_of
from shared.process.batching import grouped
from shared.process.clock import now_ms
from shared.store.ids import LogDocument
from shared.store.ports import CallHeader, CallUpdate, FoldResult, Lease, Store, StoreUnavailable, Unstorable
from shared.store.states import MAX_ATTEMPTS, State

_PAGE = 200
_GROUP_BYTES = 4 * 1024 * 1024
_RENEWAL_SECONDS = 5.0


class NoSuchCall(Exception):
    """The log holds nothing of the call."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which calls: of one organization or of all, those after the one where another run ended; None: no limit.

    `outdated`: those whose record is of other rules or another price book than the present ones; `broken`: those that
    could not be folded; both: either.
    """

    organization: str | None = None
    after: str | None = None
    outdated: bool = False
    broken: bool = False

    def includes(self, header: CallHeader | None, book_version: str) -> bool:
        """Tell whether a call is to be folded anew; `header` is None where only the log knows of it."""
        if header is None:
            return not (self.outdated or self.broken)
        if header.state is State.DELETED:
            return False  # its log is going
        broken = header.state is State.BROKEN
        if self.outdated or self.broken:
            versions = (header.rules_version, header.price_book_version)
            outdated = header.rules_version is not None and versions != (RULES_VERSION, book_version)
            return (self.broken and broken) or (self.outdated and outdated)
        # A live call without a stored record has nothing that could be made anew.
        return broken or header.state is not State.LIVE or header.rules_version is not None


@dataclass(slots=True)
class Tally:
    """How many calls were looked at, folded anew, could not be, and were left to the workers that had them in hand.

    `last` is the call up to which, in the log's order, all is done.
    """

    seen: int = 0
    rebuilt: int = 0
    broken: int = 0
    left: int = 0
    last: str | None = None


Report = Callable[[Tally], None]


class Rebuilding:
    """One run. `partitions` asks for the number of each input topic's, which only calls without a header need."""

    def __init__(self, store: Store, book: PriceBook, partitions: Callable[[], Awaitable[int]]) -> None:
        self._store = store
        self._book = book
        self._partitions = partitions
        self._known_partitions = 0
        self.tally = Tally()

    async def all(self, wanted: Wanted, report: Report) -> Tally:
        """Fold all the wanted calls, page by page.

        Raises:
            StoreUnavailable: the store went away; `tally.last` tells from where to go on.
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
            NoSuchCall: the log holds nothing of it.
        """
        if not (await self._store.sizes([call]))[call]:
            raise NoSuchCall(call)
        await self.some([call], wanted)

    async def some(self, calls: Sequence[str], wanted: Wanted) -> None:
        """Fold those of these calls that are wanted."""
        headers = await self._store.headers(calls)
        self.tally.seen += len(calls)
        chosen = [call for call in calls if wanted.includes(headers.get(call), self._book.version)]
        if not chosen:
            return
        await self._store.mark_stale([await self._mark(call, headers.get(call)) for call in chosen])
        token = uuid.uuid4().hex
        renewal = asyncio.create_task(self._renew(chosen, token))
        try:
            leases = await self._store.lease(chosen, token)
            self.tally.left += len(chosen) - len(leases)
            await self._fold(leases)
        finally:
            renewal.cancel()
            # What is still held after a failure or Ctrl-C goes to the workers at once, not when the claim runs out.
            with suppress(StoreUnavailable):
                await asyncio.shield(self._store.release(chosen, token))

    async def _mark(self, call: str, header: CallHeader | None) -> CallUpdate:
        if header is not None:
            return CallUpdate(call, header.partition, header.last_arrival, stale=True)
        # When it arrived is not known any more: now, so that neither the closer nor retention comes too early.
        self._known_partitions = self._known_partitions or await self._partitions()
        return CallUpdate(call, partition_of(call.split("/")[1], self._known_partitions), now_ms(), stale=True)

    async def _fold(self, leases: Sequence[Lease]) -> None:
        sizes = await self._store.sizes([lease.call for lease in leases])
        for group in grouped(leases, lambda lease: sizes[lease.call], _GROUP_BYTES):
            log_of = await self._store.read([lease.call for lease in group])
            results = [(lease, await self._folded(lease, log_of[lease.call])) for lease in group]
            await self._replace([(lease, result) for lease, result in results if result is not None])

    async def _folded(self, lease: Lease, documents: Sequence[LogDocument]) -> FoldResult | None:
        if lease.attempts > MAX_ATTEMPTS:
            await self._break_off(lease, "the process ended in each attempt")
            return None
        try:
            return (await fold_call(self._store, lease, documents, self._book)).result
        except StoreUnavailable:
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, the other calls are folded
            await self._break_off(lease, f"the fold failed with {type(error).__name__}")
            return None

    async def _replace(self, results: Sequence[tuple[Lease, FoldResult]]) -> None:
        try:
            lost = await self._store.store_results(results) if results else ()
        except Unstorable as error:
            if len(results) == 1:
                await self._break_off(results[0][0], str(error))
                return
            for result in results:  # to tell the one that is the trouble from its company
                await self._replace([result])
            return
        # An event of theirs arrived meanwhile: a worker folds them with it.
        self.tally.left += len(lost)
        self.tally.rebuilt += len(results) - len(lost)

    async def _break_off(self, lease: Lease, why: str) -> None:
        await self._store.mark_broken([lease])
        self.tally.broken += 1
        say(f"{lease.call} is broken: {why}")

    async def _renew(self, calls: Sequence[str], token: str) -> None:
        while True:
            await asyncio.sleep(_RENEWAL_SECONDS)
            with suppress(StoreUnavailable):  # the fold itself meets it
                await self._store.renew(calls, token)
