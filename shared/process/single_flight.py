"""Work that concurrent callers share, one run at a time for each key."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar
from weakref import WeakValueDictionary

T = TypeVar("T")


class SingleFlight(Generic[T]):
    """Runs `work` for a key. Callers during a run share the next one: the present one may have started too early."""

    def __init__(self, work: Callable[[str], Awaitable[T]]) -> None:
        self._work = work
        self._tasks: set[asyncio.Task[T]] = set()
        self._next: dict[str, asyncio.Task[T]] = {}
        self._locks = WeakValueDictionary[str, asyncio.Lock]()

    def __len__(self) -> int:
        """How many runs are under way or waiting, also those whose callers were cancelled."""
        return len(self._tasks)

    async def get(self, key: str) -> T:
        """Return the result of a run that starts now or later."""
        if (task := self._next.get(key)) is None:
            task = self._next[key] = asyncio.create_task(self._run(key))
            self._tasks.add(task)
            task.add_done_callback(self._end)
        # Shielded: other callers wait for it too.
        return await asyncio.shield(task)

    async def _run(self, key: str) -> T:
        async with self._locks.setdefault(key, asyncio.Lock()):
            del self._next[key]
            return await self._work(key)

    def _end(self, task: asyncio.Task[T]) -> None:
        self._tasks.discard(task)
        if not task.cancelled():
            task.exception()  # marks it as retrieved: asyncio would log it if all callers were cancelled
