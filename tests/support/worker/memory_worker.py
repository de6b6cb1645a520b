"""A worker in memory: its batch writer and its fold loop, driven step by step, without servers or waiting.

worker = MemoryWorker()
await worker.deliver(event("call.created"), event("call.ended"))
await worker.rest()
assert worker.body() == folded(...)
"""

import asyncio
import itertools
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from services.worker.folding.fold_loop import FoldLoop
from services.worker.folding.schedule import FoldSchedule, Watermark
from services.worker.ingest.decode_batch import Batch
from services.worker.ingest.write_batch import BatchWriter
from services.worker.memory import MemoryPublisher
from shared.calls.fold_call import render
from shared.calls.large_calls import LargeCalls
from shared.calls.leased_folds import Outcome
from shared.contract.decode_event import Headers
from shared.fold.fold import fold
from shared.fold.prices import PriceBook
from shared.fold_pool.in_process import InProcessFolds
from shared.kafka.partitioner import partition_of
from shared.process.clock import now_ms
from shared.store.memory.calls import MemoryStore
from shared.store.models import StoredCall
from shared.store.ports import Store
from tests.support.events.makers import STARTED, Json, binary, book, decoded, raw
from tests.support.store.makers import CALL, LOG_ID_HMAC_KEY

PARTITIONS = 12
TELEPHONY = "calls.telephony"
TRANSCRIPTION = "calls.transcription"
DEAD_LETTER = "calls.dead-letter"
ARRIVED = STARTED
AT_THE_END = Watermark(until=2**62, at_end=True)

Hook = Callable[[str], Awaitable[None]]


@dataclass
class Received:
    """A record as the consumer delivers it."""

    value: bytes | None
    key: bytes | None = None
    partition: int = 0
    offset: int = 0
    timestamp: int = ARRIVED
    topic: str = TELEPHONY
    headers: Headers = ()
    timestamp_type: int = 1


def received(body: Json, *, in_binary_mode: bool = False, **differs: Any) -> Received:
    """Return the record of an event as a correct producer sends it, except for what `differs`."""
    value, headers = binary(body) if in_binary_mode else (raw(body), [])
    call = body["subject"]
    usual = {"value": value, "headers": headers, "key": call.encode(), "partition": partition_of(call, PARTITIONS)}
    return Received(**(usual | differs))


def folded(*bodies: Json, opted_out: bool = False) -> bytes:
    """Return the record of a call as it must be stored in the end."""
    return render(fold(decoded(bodies), book(), opted_out=opted_out).record).body


def watched(store: Store, before: Hook | None = None, after: Hook | None = None) -> Store:
    """Return the store with hooks before and after each method, which get the method's name."""

    class Watched:
        def __getattr__(self, name: str) -> Callable[..., Awaitable[Any]]:
            method = getattr(store, name)

            async def call(*args: Any) -> Any:
                if before:
                    await before(name)
                result = await method(*args)
                if after:
                    await after(name)
                return result

            return call

    return cast(Store, Watched())


async def turns_before(step: str, act: Callable[[Store], Awaitable[object]]) -> list[int]:
    """Return how many turns another task had before each such step of the store in memory that `act` uses."""
    turns = 0
    found: list[int] = []

    async def go_on() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    async def keep(reached: str) -> None:
        if reached == step:
            found.append(turns)

    other = asyncio.create_task(go_on())
    await act(watched(MemoryStore(), before=keep))
    other.cancel()
    return found


class Clock:
    """A clock that the test moves; Unix milliseconds."""

    def __init__(self, now: int = 1_700_000_000_000) -> None:
        self.now = now

    def __call__(self) -> int:
        return self.now

    def move(self, seconds: float) -> None:
        self.now += int(seconds * 1000)


@dataclass
class MemoryWorker:
    """One worker, which owns all partitions and is at their end, unless `watermarks` differ."""

    memory: MemoryStore = field(default_factory=MemoryStore)
    store: Store | None = None
    prices: PriceBook = field(default_factory=book)
    lease_seconds: float = 60.0
    partitions: int = PARTITIONS
    large: LargeCalls | None = None
    ingest_clock: Callable[[], int] = now_ms
    watermarks: Mapping[int, Watermark] = field(default_factory=lambda: dict.fromkeys(range(PARTITIONS), AT_THE_END))

    def __post_init__(self) -> None:
        self.clock = Clock()
        self.dead_letters = MemoryPublisher()
        self.schedule = FoldSchedule()
        self._offsets = itertools.count()
        store = self.store or self.memory
        self.batch_writer = BatchWriter(
            store,
            self.dead_letters,
            self.schedule,
            dead_letter_topic=DEAD_LETTER,
            partitions=lambda: self.partitions,
            log_id_hmac_key=LOG_ID_HMAC_KEY,
            clock=self.ingest_clock,
        )
        self.fold_loop = FoldLoop(
            store,
            self.prices,
            self.schedule,
            lambda: dict(self.watermarks),
            large=self.large or InProcessFolds(store, self.prices),
            most_large=2,
            lease_seconds=self.lease_seconds,
            poll_seconds=0,
            clock=self.clock,
        )

    async def deliver(self, *bodies: Json) -> Batch:
        """Write the events as one batch of new records."""
        return await self.bring([received(body, offset=next(self._offsets)) for body in bodies])

    async def bring(self, records: Sequence[Received]) -> Batch:
        """Write these very records as one batch."""
        return await self.batch_writer.write(records)

    async def step(self) -> Outcome:
        """Fold once, long after the last time."""
        self.clock.move(3600)
        return await self.fold_loop.step()

    async def rest(self) -> None:
        """Fold until nothing is left to fold."""
        quiet = 0
        while quiet < 2:  # the next step returns the outcome of large folds
            quiet = quiet + 1 if await self.step() == Outcome() else 0
            await self.fold_loop.wait()

    async def found(self, call: str = CALL) -> StoredCall:
        """Return the stored call, which must exist."""
        stored = await self.memory.find(call)
        assert stored is not None
        return stored

    def log(self) -> bytes:
        """Return all events in the log, concatenated."""
        return b"".join(raw for document in self.memory.log.values() for raw in document.events)
