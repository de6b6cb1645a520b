"""The worker with a broken recipe: what the tests of faults must find out, or they would find out nothing.

CALLFOLD_TEST_SABOTAGE=skips_marks python -m tests.support.worker.mutant_worker
"""

import asyncio
import os
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from enum import StrEnum
from typing import Any, cast

from faust.types import TP
from faust.types.tuples import ConsumerMessage

from services.worker.__main__ import main
from services.worker.consumer.consumer import ChunkConsumer, ChunkTransport
from services.worker.settings import WorkerSettings
from services.worker.worker import WorkerDependencies
from shared.contract.topics import Topics
from shared.kafka.producer import OutgoingRecord
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

    async def getmany(self, timeout: float) -> AsyncIterator[tuple[TP, ConsumerMessage]]:  # noqa: ASYNC109 - Faust's
        async for tp, message in super().getmany(timeout):
            for chunk in message.value:
                self.acknowledge(chunk)
            yield tp, message


class SabotagedStore:
    """A store that breaks the recipe."""

    def __init__(self, dependencies: WorkerDependencies, sabotage: Sabotage) -> None:
        self._store = dependencies.store
        self._dead_letters = dependencies.dead_letters
        self._sabotage = sabotage

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    async def insert(self, documents: Sequence[LogDocument]) -> None:
        try:
            await self._insert(documents)
        except StoreUnavailable:
            values = [value for document in documents for value in document.events]
            topic = Topics(WorkerSettings.load().topic_prefix).dead_letter
            await self._dead_letters.publish([OutgoingRecord(topic, b"k", value, ()) for value in values])

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
    main(lambda dependencies: replace(dependencies, store=cast(Store, SabotagedStore(dependencies, sabotage))))


if __name__ == "__main__":
    run(Sabotage(os.environ[VARIABLE]))
