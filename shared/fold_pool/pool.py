"""The pool: processes that are started when they are needed; each folds one call at a time."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any, cast

from shared.calls.fold_call import StoredFold
from shared.calls.large_calls import Answer, LargeReading, PoolUnavailable, ProcessEnded
from shared.calls.views import View
from shared.fold.prices import PriceBook
from shared.fold_pool.process import FoldProcess, Message, Query, Question, Setup
from shared.fold_pool.settings import PoolSettings
from shared.process import metrics
from shared.store.models import Lease
from shared.store.mongo.factory import StoreFactory


class FoldPool:
    """Implements `LargeCalls`. If a process ends, only the fold under way in it fails."""

    def __init__(self, settings: PoolSettings, open_store: StoreFactory, book: PriceBook) -> None:
        self._setup = Setup(open_store, book, settings.pool_memory_mb, settings.log_level, settings.log_format)
        self._seconds = settings.pool_seconds
        self._slots = asyncio.Semaphore(settings.pool_processes)
        self._idle: list[FoldProcess] = []
        self._all: set[FoldProcess] = set()
        self._closed = False

    async def store(self, lease: Lease) -> StoredFold:
        stored, _ = await self._ask(lease)
        return cast(StoredFold, stored)

    async def read(self, call: str, view: View = View.RECORD) -> LargeReading | None:
        reading, parts = await self._ask(Query(call, view))
        return None if reading is None else replace(cast(LargeReading, reading), parts=parts)

    async def ask(self, call: str, answer: Answer) -> Any:
        """Return what `answer`, a function that the process can import, returns for a call.

        Raises what the methods of `LargeCalls` do.
        """
        found, _ = await self._ask(Question(call, answer))
        return found

    async def close(self) -> None:
        """End all processes, busy or idle; no other is started."""
        self._closed = True
        for process in self._all:
            process.kill()  # the task that waits for a busy one is woken, and ends it
        while self._idle:
            await self._end(self._idle.pop())

    async def _ask(self, job: Lease | Query | Question) -> Message:
        async with self._process() as process:
            with metrics.POOL_SECONDS.time():
                answer, attached = await self._answer(process, job)
        if isinstance(answer, Exception):
            raise answer
        return answer, attached

    async def _answer(self, process: FoldProcess, job: Lease | Query | Question) -> Message:
        try:
            async with asyncio.timeout(self._seconds):
                return await process.ask(job)
        except TimeoutError as error:
            raise ProcessEnded(f"it took longer than CALLFOLD_POOL_SECONDS={self._seconds:g}") from error

    @asynccontextmanager
    async def _process(self) -> AsyncIterator[FoldProcess]:
        """Give a process to one call; it is used again only if nothing failed."""
        async with self._slots:
            process = await self._started()
            try:
                yield process
            except BaseException:
                await asyncio.shield(self._end(process))
                raise
            self._idle.append(process)

    async def _started(self) -> FoldProcess:
        """Return a process that is ready: an idle one, if it has not ended since."""
        while self._idle:
            process = self._idle.pop()
            if await process.answers():
                return process
            await self._end(process)
        if self._closed:
            raise PoolUnavailable("the program ends")
        process = await FoldProcess.start(self._setup)
        self._all.add(process)
        return process

    async def _end(self, process: FoldProcess) -> None:
        metrics.POOL_ENDED.inc()
        self._all.discard(process)
        await process.end()
