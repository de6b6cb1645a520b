"""Work that is shared by concurrent callers: one call at a time for each key."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar
from weakref import WeakValueDictionary

T = TypeVar("T")


class SingleFlight(Generic[T]):
    """Shares `work(key)` between callers.

    A caller never gets the result of work that began before its request: those that come while work for their key runs
    share the next one.
    """

    def __init__(self, work: Callable[[str], Awaitable[T]]) -> None:
        self._work = work
        self._tasks: set[asyncio.Task[T]] = set()
        self._pending: dict[str, asyncio.Task[T]] = {}
        self._locks = WeakValueDictionary[str, asyncio.Lock]()

    def __len__(self) -> int:
        """Return how many tasks run or are pending, even if no caller waits for them any longer."""
        return len(self._tasks)

    async def get(self, key: str) -> T:
        """Return the result of work that begins after this call."""
        # Shielded: a caller that is cancelled must not cancel the work of the others.
        return await asyncio.shield(self._next(key))

    def _next(self, key: str) -> asyncio.Task[T]:
        if (task := self._pending.get(key)) is None:
            task = self._pending[key] = asyncio.create_task(self._do(key))
            self._tasks.add(task)
            task.add_done_callback(self._end)
        return task

    async def _do(self, key: str) -> T:
        async with self._locks.setdefault(key, asyncio.Lock()):
            del self._pending[key]
            return await self._work(key)

    def _end(self, task: asyncio.Task[T]) -> None:
        self._tasks.discard(task)
        if not task.cancelled():
            task.exception()  # retrieved, or asyncio logs an error if no caller waits any longer
