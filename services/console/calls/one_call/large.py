"""What the pool computed of large calls: kept for the next request, so that a reader can turn pages."""

import asyncio
import contextlib
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any, Protocol

from cachetools import TTLCache

from shared.calls.large_calls import Answer

_CACHE_BYTES = 128 * 1024 * 1024
_CACHE_SECONDS = 600.0
_LEAST_BYTES = 256 * 1024


class Sized(Protocol):
    """An answer; `size` is about how many bytes it takes."""

    @property
    def size(self) -> int: ...


class Pool(Protocol):
    """Answers questions about calls in processes of its own; raises what `LargeCalls` does."""

    async def ask(self, call: str, answer: Answer) -> Any:
        """Return what `answer`, a function that the process can import, returns for the call."""


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a call; `value` is None while it is computed for the first time.

    `computing`: it is being computed anew, because events came since.
    """

    value: Any
    computing: bool


class Busy(Exception):
    """As many answers as allowed are being computed."""


class LargeAnswers:
    """Has the pool answer, waits a little, and keeps the answers."""

    def __init__(self, pool: Pool, *, capacity: int, wait_seconds: float) -> None:
        """`capacity` bounds the answers that are computed or wait for it, `wait_seconds` how long a request waits."""
        self._pool = pool
        self._capacity = capacity
        self._wait_seconds = wait_seconds
        self._begun_of: dict[tuple[str, str], _Begun] = {}
        self._known: TTLCache[tuple[str, str], tuple[Hashable, Sized]] = TTLCache(
            _CACHE_BYTES, _CACHE_SECONDS, getsizeof=_size
        )

    async def get(self, call: str, what: str, answer: Answer, version: Hashable, *, keep: bool) -> Known:
        """Return the answer of this version, else an older one, else none yet; `keep`: it may be kept in memory.

        Raises:
            Busy: it would have to be computed, and there is no place for it.
        """
        key = (call, what)
        if not keep:
            self._known.pop(key, None)
        known = self._known.get(key)
        if known is not None and known[0] == version:
            return Known(known[1], computing=False)
        begun = self._begun(key, answer, version)
        await asyncio.wait([begun.task], timeout=self._wait_seconds)
        if not begun.task.done():
            return Known(None if known is None else known[1], computing=True)
        if self._begun_of.get(key) is begun:  # else another request, which waited too, began anew
            del self._begun_of[key]
        value = begun.task.result()
        if keep and value is not None:
            with contextlib.suppress(ValueError):  # larger than all that is kept
                self._known[key] = (begun.version, value)
        if begun.version == version:
            return Known(value, computing=False)
        self._begun(key, answer, version)
        # What was begun before the call opted out may hold what was said.
        return Known(value if keep else None, computing=True)

    def forget(self, call: str) -> None:
        """Keep nothing of a call any more: it was deleted."""
        for kept in (self._known, self._begun_of):
            for key in [key for key in kept if key[0] == call]:
                kept.pop(key, None)

    def _begun(self, key: tuple[str, str], answer: Answer, version: Hashable) -> "_Begun":
        if (begun := self._begun_of.get(key)) is None:
            if len(self._begun_of) >= self._capacity:  # of those that are done nobody may have asked again
                self._begun_of = {each: of_key for each, of_key in self._begun_of.items() if not of_key.task.done()}
            if len(self._begun_of) >= self._capacity:
                raise Busy
            task = asyncio.create_task(self._pool.ask(key[0], answer))
            task.add_done_callback(_retrieve)
            begun = self._begun_of[key] = _Begun(version, task)
        return begun


@dataclass(frozen=True, slots=True)
class _Begun:
    """An answer that is being computed, and the version of the call when that began."""

    version: Hashable
    task: asyncio.Task[Any]


def _retrieve(task: asyncio.Task[Any]) -> None:
    if not task.cancelled():
        task.exception()  # asyncio would log it if nobody asks again


def _size(known: tuple[Hashable, Sized]) -> int:
    return _LEAST_BYTES + known[1].size
