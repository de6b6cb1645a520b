"""The worker's own consumer, real but never started, with a broker that the test controls."""

# ruff: noqa: SLF001 - the seam between the worker and Faust is inside Faust

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest
from faust.types import TP
from pydantic import SecretStr

from services.worker.consumer.consumer import ChunkConsumer
from services.worker.consumer.fetch import Chunk
from services.worker.consumer.read_ends import ReadEnd
from services.worker.ingest.decode_batch import KafkaRecord
from services.worker.memory import MemoryCommitBarrier, MemoryPublisher
from services.worker.settings import WorkerSettings
from services.worker.worker import Worker, WorkerDependencies
from shared.config.policies import Policies
from shared.fold_pool.in_process import InProcessFolds
from shared.process.clock import ServerClock
from shared.store.fleet_watch import FleetWatch
from shared.store.memory.calls import MemoryStore
from tests.support.events.makers import book
from tests.support.worker.memory_worker import ARRIVED, PARTITIONS, TELEPHONY, Received

TP0 = TP(TELEPHONY, 0)
TP1 = TP(TELEPHONY, 1)


@dataclass
class Broker:
    """In place of the thread that talks to Kafka: `committed` has the partitions that are owned, None for no offset."""

    committed: dict[TP, int | None] = field(default_factory=lambda: {TP0: 100})
    ends: dict[TP, ReadEnd] = field(default_factory=dict)
    fetches: deque[Mapping[TP, Sequence[KafkaRecord]]] = field(default_factory=deque)
    from_the_beginning: list[TP] = field(default_factory=list)
    positions: dict[TP, Any] = field(default_factory=dict)
    watch: Any = field(default_factory=lambda: SimpleNamespace(unavailable=None))
    while_seeking: Any = None
    while_fetching: Any = None

    def assignment(self) -> set[TP]:
        return set(self.committed)

    async def getmany(self, _active: set[TP], _timeout: float) -> Mapping[TP, Sequence[KafkaRecord]]:
        if self.while_fetching:
            await self.while_fetching()
        return self.fetches.popleft() if self.fetches else {}

    async def commit(self, offsets: Mapping[TP, int]) -> bool:
        self.committed.update(offsets)
        return True

    async def seek_to_committed(self) -> dict[TP, int | None]:
        if self.while_seeking:
            await self.while_seeking()
        return dict(self.committed)

    async def seek_to_beginning(self, *partitions: TP) -> None:
        self.from_the_beginning += partitions

    @property
    def _consumer(self) -> Any:
        """What `end_position` and `partition_count` read of aiokafka's consumer."""
        assignment = SimpleNamespace(state_value=self.positions.get)
        return SimpleNamespace(
            _subscription=SimpleNamespace(subscription=SimpleNamespace(assignment=assignment)),
            partitions_for_topic=lambda _topic: set(range(PARTITIONS)),
        )


def records(first: int, end: int, tp: TP = TP0) -> list[Received]:
    """Return records of these offsets, each a millisecond after the one before."""
    return [
        Received(b"{}", partition=tp.partition, topic=tp.topic, offset=offset, timestamp=ARRIVED + offset)
        for offset in range(first, end)
    ]


def finalized(store: Any = None, **chosen: Any) -> Worker:
    """Return a worker with these settings: all is made, nothing runs."""
    store = store or MemoryStore()
    dependencies = WorkerDependencies(
        store=store,
        book=book(),
        policies=Policies(),
        large=InProcessFolds(store, book()),
        dead_letters=MemoryPublisher(),
        inferred_ends=MemoryPublisher(),
        commit_barrier=MemoryCommitBarrier(),
        partitions=PARTITIONS,
        fleet=FleetWatch(store, {}),
        clock=ServerClock(store.now),
    )
    worker = Worker(WorkerSettings(log_id_hmac_key=SecretStr("k" * 32), **chosen), dependencies)
    worker.app.finalize()
    return worker


@asynccontextmanager
async def unstarted(
    broker: Broker | None = None, store: Any = None, **chosen: Any
) -> AsyncIterator[tuple[Worker, Broker]]:
    """Give a worker whose consumer owns the broker's partitions, with the flow on and generation 1."""
    broker, worker = broker or Broker(), finalized(store, **chosen)
    consumer, worker.app.consumer_generation_id = worker.consumer, 1
    consumer._thread.thread_loop.close()  # Faust opens it with the thread, which never runs here
    consumer._thread = broker
    consumer._set_active_tps(broker.assignment())
    consumer.seek_pause = 0.0
    await consumer.perform_seek()
    yield worker, broker


async def fetch(consumer: ChunkConsumer, broker: Broker, fetched: Mapping[TP, Sequence[KafkaRecord]]) -> list[Chunk]:
    """Return the chunks that one fetch delivers, as Faust's loop takes them."""
    broker.fetches.append(fetched)
    chunks = []
    async for tp, message in consumer.getmany(1.0):
        consumer._read_offset[tp] = message.offset  # as `_drain_messages` does once a message is delivered
        chunks += message.value
    return chunks


async def deliver(consumer: ChunkConsumer, broker: Broker, *spans: tuple[int, int], tp: TP = TP0) -> list[Chunk]:
    """Deliver chunks of these offsets, each from a fetch of its own."""
    return [chunk for first, end in spans for chunk in await fetch(consumer, broker, {tp: records(first, end, tp)})]


class Stream:
    """Gives the agent what Faust's stream would: each fetch as if delivered while the one before was written.

    Unless it `ends`, it waits for one more.
    """

    enable_acks = True

    def __init__(self, fetches: Sequence[Sequence[Chunk]], *, ends: bool = True) -> None:
        self._fetches = fetches
        self._ends = ends
        self.queue: asyncio.Queue[Any] = asyncio.Queue(64)
        self.channel = self

    async def events(self) -> AsyncIterator[Any]:
        for chunks in self._fetches:
            self.queue.put_nowait(SimpleNamespace(value=chunks))
            while not self.queue.empty():
                assert not self.enable_acks  # or Faust acknowledges by itself
                yield self.queue.get_nowait()
        if not self._ends:
            await asyncio.Event().wait()


async def ingest(worker: Worker, *fetches: Sequence[Chunk]) -> None:
    await worker.ingest(Stream(fetches))


def span(chunk: Chunk) -> tuple[int, int]:
    """Return the offsets of a chunk's first and last record."""
    return chunk.records[0].offset, chunk.records[-1].offset


async def turns(count: int = 20) -> None:
    """Let every task run until it waits."""
    for _ in range(count):
        await asyncio.sleep(0)


@pytest.fixture
async def made() -> AsyncIterator[tuple[Worker, Broker]]:
    async with unstarted() as made:
        yield made


@pytest.fixture
def consumer(made: tuple[Worker, Broker]) -> ChunkConsumer:
    return made[0].consumer


@pytest.fixture
def broker(made: tuple[Worker, Broker]) -> Broker:
    return made[1]
