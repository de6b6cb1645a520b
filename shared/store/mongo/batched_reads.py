"""Many who ask at once, answered by few questions: what a small one costs goes to the driver for the most part."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping
from typing import Generic, TypeVar

T = TypeVar("T")

CONCURRENCY = 2
"""So many questions are under way at once: who waits for a slow one has not to wait for it alone."""

MOST = 8
"""So many keys one question has at most: each may bring megabytes, and Motor keeps the memory of each thread."""


class BatchedReads(Generic[T]):
    """Asks for single keys, at once while fewer than `LANES` questions are under way, else with the next question.

    Every answer is what the question found that was sent after the key was asked for.
    """

    def __init__(self, ask: Callable[[Collection[str]], Awaitable[Mapping[str, T]]]) -> None:
        """`ask` returns what there is of many keys; what it raises, each who asked gets."""
        self._ask = ask
        self._waiting: list[tuple[str, asyncio.Future[T | None]]] = []
        self._lanes: set[asyncio.Task[None]] = set()

    async def get(self, key: str) -> T | None:
        """Return what there is of a key, None if there is nothing."""
        answer: asyncio.Future[T | None] = asyncio.get_running_loop().create_future()
        self._waiting.append((key, answer))
        if len(self._lanes) < CONCURRENCY:
            lane = asyncio.create_task(self._run())
            self._lanes.add(lane)
            lane.add_done_callback(self._lanes.discard)
        return await answer

    async def _run(self) -> None:
        while self._waiting:
            asked, self._waiting = self._waiting[:MOST], self._waiting[MOST:]
            # Somebody may have stopped waiting.
            await self._answer([(key, answer) for key, answer in asked if not answer.done()])

    async def _answer(self, asked: Collection[tuple[str, "asyncio.Future[T | None]"]]) -> None:
        try:
            found = await self._ask({key for key, _ in asked}) if asked else {}
        except Exception as error:  # noqa: BLE001 - it is theirs who asked
            for _, answer in asked:
                if not answer.done():
                    answer.set_exception(error)
                    answer.exception()  # seen, even if whoever asked leaves before it is told: asyncio would complain
        else:
            for key, answer in asked:
                if not answer.done():
                    answer.set_result(found.get(key))
