"""A mutant of the worker: the fault tests must detect it, or they detect nothing.

CALLFOLD_TEST_MUTANT=skips_updates python -m tests.support.worker.mutant_worker
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

VARIABLE = "CALLFOLD_TEST_MUTANT"
"""The variable that names the mutant."""


class Mutant(StrEnum):
    """What the mutant does wrong."""

    ACKNOWLEDGES_FIRST = "acknowledges_first"
    """Offsets are acknowledged when their records are delivered; the updates of their calls are never written."""
    COMMITS_TOO_EARLY = "commits_too_early"
    """The consumer's position is committed though records before it are not written."""
    SKIPS_UPDATES = "skips_updates"
    """No call is marked stale."""
    TAKES_AN_OUTAGE_FOR_INVALID_EVENTS = "takes_an_outage_for_invalid_events"
    """Events that an unavailable store does not accept become dead letters."""


class HastyConsumer(ChunkConsumer):
    """Acknowledges what it delivers."""

    async def getmany(self, timeout: float) -> AsyncIterator[tuple[TP, ConsumerMessage]]:  # noqa: ASYNC109 - Faust's
        async for tp, message in super().getmany(timeout):
            for chunk in message.value:
                self.acknowledge(chunk)
            yield tp, message


class EarlyConsumer(ChunkConsumer):
    """Commits its position, whatever is written."""

    def _new_offset(self, tp: TP) -> int | None:
        return self._offsets._positions.get(tp)  # noqa: SLF001


class MutantStore:
    """A store that does it."""

    def __init__(self, dependencies: WorkerDependencies, mutant: Mutant) -> None:
        self._store = dependencies.store
        self._dead_letters = dependencies.dead_letters
        self._mutant = mutant

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
        if self._mutant is Mutant.TAKES_AN_OUTAGE_FOR_INVALID_EVENTS:
            raise StoreUnavailable("away")
        await self._store.insert(documents)

    async def mark_stale(self, updates: Sequence[CallUpdate]) -> set[str]:
        match self._mutant:
            case Mutant.ACKNOWLEDGES_FIRST | Mutant.COMMITS_TOO_EARLY:
                await asyncio.Event().wait()
            case Mutant.TAKES_AN_OUTAGE_FOR_INVALID_EVENTS:
                return await self._store.mark_stale(updates)
        return set()


def run(mutant: Mutant) -> None:
    """Run the worker until it is killed."""
    consumers = {Mutant.ACKNOWLEDGES_FIRST: HastyConsumer, Mutant.COMMITS_TOO_EARLY: EarlyConsumer}
    ChunkTransport.Consumer = consumers.get(mutant, ChunkConsumer)
    main(lambda dependencies: replace(dependencies, store=cast(Store, MutantStore(dependencies, mutant))))


if __name__ == "__main__":
    run(Mutant(os.environ[VARIABLE]))
