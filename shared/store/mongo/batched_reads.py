"""Concurrent reads of single keys, joined into few queries: most of what a small read costs is the driver's work."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping
from typing import Generic, TypeVar

T = TypeVar("T")

CONCURRENCY = 2
"""Queries under way at once, so that one slow query does not hold up all readers."""

MAX_KEYS = 8
"""Keys of one query: each may bring megabytes, and Motor keeps the memory of each of its threads."""


class BatchedReads(Generic[T]):
    """Reads single keys: at once while fewer than `CONCURRENCY` queries are under way, else with the next query.

    Each answer comes from a query that was sent after the key was asked for.
    """

    def __init__(self, query: Callable[[Collection[str]], Awaitable[Mapping[str, T]]]) -> None:
        """`query` returns what is found of many keys; what it raises, each reader of the query gets."""
        self._query = query
        self._waiting: list[tuple[str, asyncio.Future[T | None]]] = []
        self._tasks: set[asyncio.Task[None]] = set()

    async def get(self, key: str) -> T | None:
        """Return what is found of a key, None if nothing is."""
        answer: asyncio.Future[T | None] = asyncio.get_running_loop().create_future()
        self._waiting.append((key, answer))
        if len(self._tasks) < CONCURRENCY:
            task = asyncio.create_task(self._run())
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        return await answer

    async def _run(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting[:MAX_KEYS], self._waiting[MAX_KEYS:]
            # A reader may have been cancelled.
            await self._answer([(key, answer) for key, answer in batch if not answer.done()])

    async def _answer(self, batch: Collection[tuple[str, "asyncio.Future[T | None]"]]) -> None:
        try:
            found = await self._query({key for key, _ in batch}) if batch else {}
        except Exception as error:  # noqa: BLE001 - it belongs to the readers
            for _, answer in batch:
                if not answer.done():
                    answer.set_exception(error)
                    answer.exception()  # marks it as retrieved: asyncio would log it if the reader is cancelled first
        else:
            for key, answer in batch:
                if not answer.done():
                    answer.set_result(found.get(key))
