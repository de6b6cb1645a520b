"""Work that many ask for at once and that is done once: one at a time for each key."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar
from weakref import WeakValueDictionary

T = TypeVar("T")


class SingleFlight(Generic[T]):
    """Does `work` for a key; whoever asks while it is done shares the next: what runs may have begun too early."""

    def __init__(self, work: Callable[[str], Awaitable[T]]) -> None:
        self._work = work
        self._under_way: set[asyncio.Task[T]] = set()
        self._to_come: dict[str, asyncio.Task[T]] = {}
        self._locks = WeakValueDictionary[str, asyncio.Lock]()

    def __len__(self) -> int:
        """How much is under way or to come, also if nobody waits for it any longer."""
        return len(self._under_way)

    async def get(self, key: str) -> T:
        """Return what comes of work that begins now or later."""
        # Shielded: others wait for it too.
        return await asyncio.shield(self._next(key))

    def _next(self, key: str) -> asyncio.Task[T]:
        if (task := self._to_come.get(key)) is None:
            task = self._to_come[key] = asyncio.create_task(self._do(key))
            self._under_way.add(task)
            task.add_done_callback(self._end)
        return task

    async def _do(self, key: str) -> T:
        async with self._locks.setdefault(key, asyncio.Lock()):
            del self._to_come[key]
            return await self._work(key)

    def _end(self, task: asyncio.Task[T]) -> None:
        self._under_way.discard(task)
        if not task.cancelled():
            task.exception()  # seen, even if nobody waits any longer: asyncio would complain
