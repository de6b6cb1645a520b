"""Large calls: what is asked of whoever folds them elsewhere, so that their neighbours do not wait.

Every implementation keeps to `tests/contract/test_large_calls.py`. Why elsewhere: docs/decisions/0009.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from shared.calls.fold_call import fold_call
from shared.calls.read_call import Finality, read_call
from shared.fold.cost import RatingWarnings
from shared.fold.prices import PriceBook
from shared.store.ports import Lease, Store, StoreUnavailable, Unstorable

LARGE_BYTES = 1024 * 1024
"""From so many bytes of log on a call is large: its fold holds an event loop up for 30 ms and more."""


class FoldFailed(Exception):
    """The call cannot be folded, by a mistake of ours; whoever folded it has logged where."""


class OutOfMemory(FoldFailed):
    """The fold needs more memory than it may have; the message names the setting."""


class ProcessEnded(Exception):
    """The process ended in the middle of the fold, or took too long and was ended; the message says which."""


class PoolUnavailable(Exception):
    """No process can be started, which is no fault of the call; the message says why."""


@dataclass(frozen=True, slots=True)
class StoredFold:
    """What became of a claimed call: `marked_again` if a mark overtook the result; the fold took `seconds`.

    `invalid` counts the events of the log that the present rules find invalid.
    """

    final: bool
    overtaken: bool
    conflicts: int
    invalid: int
    rating_warnings: RatingWarnings
    seconds: float


@dataclass(frozen=True, slots=True)
class LargeReading:
    """A `Reading` whose body is in parts: to put a hundred megabytes together takes time that others wait."""

    parts: Sequence[bytes]
    etag: str
    finality: Finality


class LargeCalls(Protocol):
    """Folds one call at a time in each of its processes; the others wait for their turn.

    Raises, any method: `StoreUnavailable`, `FoldFailed`, `ProcessEnded`, `PoolUnavailable`.
    """

    async def store(self, lease: Lease) -> StoredFold:
        """Read, fold and store a claimed call.

        Raises:
            Unstorable: the store refuses the record.
        """

    async def read(self, call: str) -> LargeReading | None:
        """Return the record of a call, or None if there is no such call.

        Raises:
            CallBroken: the call cannot be folded.
        """


async def store_call(store: Store, lease: Lease, book: PriceBook) -> StoredFold:
    """Read the log after the claim, fold, and store what came of it."""
    documents = (await store.read([lease.call]))[lease.call]
    started = time.perf_counter()
    done = await fold_call(store, lease, documents, book)
    seconds = time.perf_counter() - started
    lost = await store.store_results([(lease, done.result)])
    return StoredFold(
        final=done.result.final,
        overtaken=lease.call in lost,
        conflicts=done.folded.conflicts,
        invalid=done.invalid,
        rating_warnings=done.folded.rating_warnings,
        seconds=seconds,
    )


class InProcessFolds:
    """The port without a process: for tests that look at every step."""

    def __init__(self, store: Store, book: PriceBook) -> None:
        self._store = store
        self._book = book

    async def store(self, lease: Lease) -> StoredFold:
        try:
            return await store_call(self._store, lease, self._book)
        except (StoreUnavailable, Unstorable):
            raise
        except Exception as error:
            raise FoldFailed(type(error).__name__) from error

    async def read(self, call: str) -> LargeReading | None:
        reading = await read_call(self._store, call, self._book)
        return None if reading is None else LargeReading((reading.body,), reading.etag, reading.finality)
