"""Reading large calls: folded in the pool, for few readers at a time; the others are told to come again."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from weakref import WeakValueDictionary

from cachetools import TTLCache

from services.api.errors import busy
from shared.large import LARGE_BYTES, LargeCalls, LargeReading, PoolUnavailable, ProcessEnded
from shared.logs import logger
from shared.store.port import Store

log = logger(__name__)

_REMEMBERED_CALLS = 10_000
_REMEMBERED_SECONDS = 30.0


class Sizes:
    """Tells which calls are large; remembers it for a while, so that whoever reads one again and again pays once."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._known: TTLCache[str, bool] = TTLCache(_REMEMBERED_CALLS, _REMEMBERED_SECONDS)

    async def is_large(self, call: str) -> bool:
        """Return whether a call's log is too long to be folded beside other requests."""
        known: bool | None = self._known.get(call)
        if known is not None:
            return known
        size = (await self._store.sizes([call]))[call]
        large = size >= LARGE_BYTES
        # What is nearly large may be so in a moment.
        if large or size < LARGE_BYTES // 2:
            self._known[call] = large
        return large


class LargeReads:
    """Readers of large calls: at most `most` at once, each of whom waits `patience` seconds at most."""

    def __init__(self, folds: LargeCalls, *, most: int, patience: float) -> None:
        self._folds = folds
        self._most = most
        self._taken = 0
        self._patience = patience
        self._folding: set[asyncio.Task[LargeReading | None]] = set()
        self._to_come: dict[str, asyncio.Task[LargeReading | None]] = {}
        self._locks = WeakValueDictionary[str, asyncio.Lock]()

    @asynccontextmanager
    async def place(self) -> AsyncIterator[None]:
        """Give one reader a place, until the answer is sent: each may hold a record of a hundred megabytes.

        Raises:
            Refused: all places are taken, or folds that nobody waits for any longer take as long (503).
        """
        if max(self._taken, len(self._folding)) >= self._most:
            raise busy()
        self._taken += 1
        try:
            yield
        finally:
            self._taken -= 1

    async def read(self, call: str) -> LargeReading | None:
        """Return the record of a call, as it stood when this was asked for or later.

        Raises:
            Refused: it takes too long, or the pool has failed in a way that need not last (503).
        """
        try:
            async with asyncio.timeout(self._patience):
                # Shielded: others wait for it too.
                return await asyncio.shield(self._fold_to_come(call))
        except (TimeoutError, ProcessEnded, PoolUnavailable) as error:
            log.warning("large_call_not_read", call=call, why=str(error) or "others were ahead")
            raise busy() from error

    def _fold_to_come(self, call: str) -> asyncio.Task[LargeReading | None]:
        """Return the fold that begins next: the one that runs may have read the log before the latest event."""
        if (fold := self._to_come.get(call)) is None:
            fold = self._to_come[call] = asyncio.create_task(self._fold(call))
            self._folding.add(fold)
            fold.add_done_callback(self._end)
        return fold

    async def _fold(self, call: str) -> LargeReading | None:
        async with self._locks.setdefault(call, asyncio.Lock()):
            del self._to_come[call]
            return await self._folds.read(call)

    def _end(self, fold: asyncio.Task[LargeReading | None]) -> None:
        self._folding.discard(fold)
        if not fold.cancelled():
            fold.exception()  # seen, even if nobody waits any longer: asyncio would complain
