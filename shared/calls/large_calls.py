"""The port through which large calls are folded in other processes, so that no event loop waits for them.

Every implementation keeps to `tests/contract/test_large_calls.py`. Why other processes: docs/decisions/0009.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from shared.calls.fold_call import StoredFold
from shared.calls.read_call import Finality
from shared.calls.views import View
from shared.fold.prices import PriceBook
from shared.store.models import Lease
from shared.store.ports import Store

LARGE_BYTES = 1024 * 1024
"""From this many bytes of log on a call is large: its fold blocks an event loop for 30 ms and more."""


Answer = Callable[[Store, str, PriceBook], Awaitable[Any]]
"""A function that a process can import, and that answers a question about a call."""


class FoldFailed(Exception):
    """The call cannot be folded because of an internal error, which was logged where it happened."""


class OutOfMemory(FoldFailed):
    """The fold needs more memory than the setting that the message names allows."""


class ProcessEnded(Exception):
    """The process ended during the fold, or was ended because it took too long; the message gives the reason."""


class PoolUnavailable(Exception):
    """No process can be started, for a reason that has nothing to do with the call; the message gives it."""


@dataclass(frozen=True, slots=True)
class LargeReading:
    """A `Reading` whose body is in parts: joining a hundred megabytes would block the event loop."""

    parts: Sequence[bytes]
    etag: str
    finality: Finality


class LargeCalls(Protocol):
    """Folds one call at a time in each of its processes; other calls wait for a process.

    Any method raises `StoreUnavailable`, `FoldFailed`, `ProcessEnded`, `PoolUnavailable`.
    """

    async def store(self, lease: Lease) -> StoredFold:
        """Read, fold and store a leased call.

        Raises:
            Unstorable: the store refuses the record.
        """

    async def read(self, call: str, view: View = View.RECORD) -> LargeReading | None:
        """Return the record of a call, or its details, or None if there is no such call.

        Raises:
            CallBroken: the call cannot be folded.
        """
