"""Mutants of the worker, each with one rule broken: the fault tests must detect them.

CALLFOLD_TEST_MUTANT=skips_marks python -m tests.support.worker.mutant_worker
"""

import asyncio
import os
from collections.abc import AsyncIterator, Sequence
from enum import StrEnum
from typing import Any, cast

from faust.types import TP

from services.worker.__main__ import main
from services.worker.consumer.consumer import Chunk, ChunkConsumer, ChunkTransport
from services.worker.ingest.dead_letters import DeadLetter, DeadLetters
from shared.store.ids import LogDocument
from shared.store.ports import CallUpdate, Store, StoreUnavailable

VARIABLE = "CALLFOLD_TEST_MUTANT"
"""The variable that names the mutant."""


class Mutant(StrEnum):
    """The broken rule."""

    ACKNOWLEDGES_FIRST = "acknowledges_first"
    """Offsets are acknowledged when their records are delivered, long before the marks, which take for ever."""
    SKIPS_MARKS = "skips_marks"
    """Nothing is marked."""
    REJECTS_DURING_OUTAGE = "rejects_during_outage"
    """During an outage of the store, events become dead letters."""


class HastyConsumer(ChunkConsumer):
    """Acknowledges what it delivers."""

    async def getmany(self, timeout: float) -> AsyncIterator[tuple[TP, Chunk]]:  # noqa: ASYNC109 - Faust's signature
        async for tp, chunk in super().getmany(timeout):
            self.ack(chunk)
            yield tp, chunk


class MutantStore:
    """A store that breaks the rule."""

    def __init__(self, store: Store, dead_letters: DeadLetters, mutant: Mutant) -> None:
        self._store = store
        self._dead_letters = dead_letters
        self._mutant = mutant

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    async def insert(self, documents: Sequence[LogDocument]) -> None:
        try:
            await self._insert(documents)
        except StoreUnavailable:
            values = [value for document in documents for value in document.events]
            await self._dead_letters.publish([DeadLetter(b"k", value, ()) for value in values])

    async def _insert(self, documents: Sequence[LogDocument]) -> None:
        if self._mutant is Mutant.REJECTS_DURING_OUTAGE:
            raise StoreUnavailable("away")
        await self._store.insert(documents)

    async def mark_stale(self, marks: Sequence[CallUpdate]) -> set[str]:
        match self._mutant:
            case Mutant.ACKNOWLEDGES_FIRST:
                await asyncio.Event().wait()
            case Mutant.REJECTS_DURING_OUTAGE:
                return await self._store.mark_stale(marks)
        return set()


def run(mutant: Mutant) -> None:
    """Run the worker until it is killed."""
    if mutant is Mutant.ACKNOWLEDGES_FIRST:
        ChunkTransport.Consumer = HastyConsumer
    main(lambda store, letters: (cast(Store, MutantStore(store, letters, mutant)), letters))


if __name__ == "__main__":
    run(Mutant(os.environ[VARIABLE]))
