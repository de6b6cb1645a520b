"""The worker with a broken recipe: what the tests of faults must find out, or they would find out nothing.

CALLFOLD_TEST_SABOTAGE=skips_marks python -m tests.support.worker.mutant_worker
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
from shared.store.models import CallUpdate, LogDocument
from shared.store.ports import Store, StoreUnavailable

VARIABLE = "CALLFOLD_TEST_SABOTAGE"
"""The variable that names the sabotage."""


class Sabotage(StrEnum):
    """How a recipe is broken."""

    ACKNOWLEDGES_FIRST = "acknowledges_first"
    """Offsets are acknowledged when their records are delivered, long before the marks, which take for ever."""
    SKIPS_MARKS = "skips_marks"
    """Nothing is marked."""
    TAKES_AN_OUTAGE_FOR_POISON = "takes_an_outage_for_poison"
    """What a store that is away does not take goes to the dead letters, and is done with."""


class HastyConsumer(ChunkConsumer):
    """Acknowledges what it delivers."""

    async def getmany(self, timeout: float) -> AsyncIterator[tuple[TP, Chunk]]:  # noqa: ASYNC109 - Faust's signature
        async for tp, chunk in super().getmany(timeout):
            self.ack(chunk)
            yield tp, chunk


class SabotagedStore:
    """A store that breaks the recipe."""

    def __init__(self, store: Store, dead_letters: DeadLetters, sabotage: Sabotage) -> None:
        self._store = store
        self._dead_letters = dead_letters
        self._sabotage = sabotage

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    async def insert(self, documents: Sequence[LogDocument]) -> None:
        try:
            await self._insert(documents)
        except StoreUnavailable:
            values = [value for document in documents for value in document.events]
            await self._dead_letters.publish([DeadLetter(b"k", value, ()) for value in values])

    async def _insert(self, documents: Sequence[LogDocument]) -> None:
        if self._sabotage is Sabotage.TAKES_AN_OUTAGE_FOR_POISON:
            raise StoreUnavailable("away")
        await self._store.insert(documents)

    async def mark_stale(self, marks: Sequence[CallUpdate]) -> set[str]:
        match self._sabotage:
            case Sabotage.ACKNOWLEDGES_FIRST:
                await asyncio.Event().wait()
            case Sabotage.TAKES_AN_OUTAGE_FOR_POISON:
                return await self._store.mark_stale(marks)
        return set()


def run(sabotage: Sabotage) -> None:
    """Run the worker until it is killed."""
    if sabotage is Sabotage.ACKNOWLEDGES_FIRST:
        ChunkTransport.Consumer = HastyConsumer
    main(lambda store, letters: (cast(Store, SabotagedStore(store, letters, sabotage)), letters))


if __name__ == "__main__":
    run(Sabotage(os.environ[VARIABLE]))
