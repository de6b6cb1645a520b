"""A call from its first event to its record, by the real writer, fold loop and store, with one step interrupted."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import Enum
from typing import Any, cast

from services.worker.folding.leases import Outcome
from shared.calls.read_call import Finality
from shared.config.mongo_access import MongoAccess
from shared.store.mongo.calls import MongoStore
from shared.store.mongo.client import Connection
from shared.store.ports import Store, StoreUnavailable
from tests.support.events.makers import STARTED, event
from tests.support.events.records import expected, read
from tests.support.eventually import scaled
from tests.support.servers.failing_mongo import READS, WRITES, Commands, FailingMongo, NamedError
from tests.support.store.makers import CALL
from tests.support.worker.fold_cases import BEGUN, CREATED, ENDED, OPT_OUT, SAID
from tests.support.worker.memory_worker import MemoryWorker

LATE_EVENTS = event("transcript.turn", at=STARTED + 8_000, source="/late", content="another secret")
_BODIES = (CREATED, BEGUN, SAID, OPT_OUT, ENDED, LATE_EVENTS)
_TIMEOUT_MS = int(scaled(500))  # of each step that only a timeout interrupts
_WITHIN = scaled(120.0)


class Step(Enum):
    """What a flush or a folder asks of the store; in which part of the way, and by which method."""

    INSERT = ("the first batch", "insert")
    LOOK = ("the first batch", "read_states")
    MARK = ("the first batch", "mark_stale")
    WAITING = ("the fold", "stale_calls")
    CLAIM = ("the fold", "lease")
    SIZES = ("the fold", "sizes")
    READ = ("the fold", "read")
    FOLDER_REDACTION = ("the fold", "redact")
    REPLACE = ("the fold", "store_results")
    FLUSH_REDACTION = ("a late batch", "redact")


STEPS = {
    WRITES: (Step.INSERT, Step.MARK, Step.CLAIM, Step.FOLDER_REDACTION, Step.REPLACE, Step.FLUSH_REDACTION),
    READS: (Step.LOOK, Step.WAITING, Step.CLAIM, Step.SIZES, Step.READ),
}
"""The steps that make use of these commands; a claim is written, and then read."""


@dataclass(frozen=True)
class Arrival:
    """The result of a call: whether the step was interrupted, and what was stored."""

    interrupted: bool
    right: bool
    dead_letters: int
    attempts: frozenset[int]
    raw: int


class BreakingStore:
    """A store that waits before the step, so that it can be made to fail."""

    def __init__(self, store: Store, step: Step) -> None:
        self._store = store
        self._step = step
        self.part = ""
        self.there, self.go_on, self.over = asyncio.Event(), asyncio.Event(), asyncio.Event()
        self.interrupted = False
        self.attempts: set[int] = set()

    def __getattr__(self, name: str) -> Callable[..., Awaitable[Any]]:
        method = getattr(self._store, name)

        async def call(*args: Any) -> Any:
            if (self.part, name) == self._step.value and not self.there.is_set():
                return await self._interrupted(method, *args)
            result = await method(*args)
            if name == "lease":
                self.attempts |= {lease.attempts for lease in result}
            return result

        return call

    async def _interrupted(self, method: Callable[..., Awaitable[Any]], *args: Any) -> Any:
        self.there.set()
        await self.go_on.wait()
        try:
            return await method(*args)
        except StoreUnavailable:
            self.interrupted = True
            raise
        finally:
            self.over.set()


class Journey:
    """One call in a database of its own."""

    def __init__(self, mongo: FailingMongo, database: str, step: Step) -> None:
        self._traveller = Connection(MongoAccess(mongo.uri), database, timeout_ms=_TIMEOUT_MS)
        self._witness = Connection(MongoAccess(mongo.behind), database)
        self.store = BreakingStore(MongoStore(self._traveller), step)
        self._worker = MemoryWorker(store=cast(Store, self.store))

    async def go(self) -> Arrival:
        """Bring the events, fold, bring a late event, fold again."""
        await MongoStore(self._witness).prepare()
        self.store.part = "the first batch"
        await self._worker.deliver(CREATED, BEGUN, SAID, OPT_OUT, ENDED)
        self.store.part = "the fold"
        await self._rest()
        self.store.part = "a late batch"
        await self._worker.deliver(LATE_EVENTS)
        await self._rest()
        return await self._arrival()

    async def close(self) -> None:
        await self._witness.drop()
        await self._witness.close()
        await self._traveller.close()

    async def _rest(self) -> None:
        """Fold until nothing is left, as the worker does: when the store is away, later."""
        deadline = time.monotonic() + _WITHIN
        while time.monotonic() < deadline:
            try:
                if await self._worker.step() == Outcome():
                    return
            except StoreUnavailable:
                await asyncio.sleep(0.05)

    async def _arrival(self) -> Arrival:
        (wanted,) = expected(_BODIES).values()
        documents = (await MongoStore(self._witness).read([CALL]))[CALL]
        return Arrival(
            self.store.interrupted,
            await read(self._witness, CALL) == (wanted, Finality.FINAL),
            len(self._worker.letters.delivered),
            frozenset(self.store.attempts),
            sum(not document.redacted_at for document in documents),
        )


async def journeys(mongo: FailingMongo, error: NamedError, commands: Commands, name: str) -> dict[Step, Arrival]:
    """Return the results of concurrent calls, each interrupted at another step by the same error."""
    going = {step: Journey(mongo, f"{name}-{step.name.lower()}", step) for step in STEPS[commands]}
    stores = [journey.store for journey in going.values()]
    try:
        async with asyncio.timeout(_WITHIN), asyncio.TaskGroup() as group:
            arrivals = [group.create_task(journey.go()) for journey in going.values()]
            await asyncio.gather(*(store.there.wait() for store in stores))
            async with mongo.failing(error, commands):
                for store in stores:
                    store.go_on.set()
                await asyncio.gather(*(store.over.wait() for store in stores))
        return {step: arrival.result() for step, arrival in zip(going, arrivals, strict=True)}
    finally:
        await asyncio.gather(*(journey.close() for journey in going.values()))
