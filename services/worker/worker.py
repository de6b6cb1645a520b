"""The worker's loops: batches are written by `ingest`, calls are folded by `fold`, both until the app stops."""

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from faust.types import TP, StreamT

from services.worker import metrics
from services.worker.consumer.consumer import ChunkConsumer
from services.worker.consumer.faust_app import WorkerApp, faust_app
from services.worker.consumer.fetch import Chunk, fetched
from services.worker.consumer.watch.partition_counts import PartitionCounts
from services.worker.folding.fold_loop import FoldLoop
from services.worker.folding.schedule import FoldSchedule, Watermark
from services.worker.folding.watermarks import Watermarks
from services.worker.ingest.watermark_writer import WatermarkWriter
from services.worker.ingest.write_batch import BatchWriter
from services.worker.maintenance.call_counts import CallCountsJob
from services.worker.maintenance.commit_barrier import CommitBarrier
from services.worker.maintenance.idle_calls import IdleCallTimeout
from services.worker.maintenance.redaction_sweep import RedactionSweep
from services.worker.maintenance.retention import RetentionJob
from services.worker.maintenance.scheduler import MaintenanceJob, MaintenanceScheduler
from services.worker.maintenance.tombstones import TombstoneJob, tombstone_ttl
from services.worker.runtime.progress import Progress, longest_step
from services.worker.runtime.retry import RetryAborted
from services.worker.runtime.watchdog import end_process
from services.worker.settings import WorkerSettings
from shared.calls.large_calls import LargeCalls
from shared.config.policies import Policies
from shared.contract.topics import Topics
from shared.fold.prices import PriceBook
from shared.kafka.producer import RecordPublisher
from shared.process.clock import ServerClock
from shared.process.logs import logger
from shared.store.fleet_watch import FleetWatch
from shared.store.ports import Store, StoreUnavailable

log = logger(__name__)

EXIT_FAILED = 71
_MOST_FETCHES = 4
_BATCH_BYTES = 16 * 1024 * 1024
# One is decoded while MongoDB writes the other; they interleave like the batches of two workers.
_CONCURRENT_BATCHES = 2
_IDLE_SECONDS = 0.25
_UNAVAILABLE_SECONDS = 1.0
_PING_SECONDS = 1.0
_MAINTENANCE_SECONDS = 5.0
_FLEET_SECONDS = 60.0
_CLOCK_SECONDS = 10.0
_COUNT_SECONDS = 1.0  # it counts the same partitions again less often
_DAY_MS = 86_400_000
_STOP_SECONDS = 5.0
_INGEST, _FOLD_LOOP = "ingest", "the fold loop"


@dataclass(frozen=True, slots=True)
class WorkerDependencies:
    """What a worker works with; `partitions` is the number of each input topic's at the start."""

    store: Store
    book: PriceBook
    policies: Policies
    large: LargeCalls
    dead_letters: RecordPublisher
    inferred_ends: RecordPublisher
    commit_barrier: CommitBarrier
    partitions: int
    fleet: FleetWatch
    clock: ServerClock


class Worker:
    """One process of the worker."""

    def __init__(self, settings: WorkerSettings, dependencies: WorkerDependencies) -> None:
        store, policies, clock = dependencies.store, dependencies.policies, dependencies.clock
        self.settings = settings
        self.store = store
        self.topics = Topics(settings.topic_prefix)
        self.app = faust_app(settings)
        self.app.clock = clock
        self.schedule = FoldSchedule()
        self.progress = Progress(longest_step(settings.mongo_timeout_ms / 1000))
        self.partitions = PartitionCounts(
            self.topics.inputs,
            dependencies.partitions,
            lambda topic: self.consumer.partition_count(topic),  # noqa: PLW0108 - there is no consumer yet
        )
        self.idle_call_timeout = IdleCallTimeout(
            store,
            dependencies.inferred_ends,
            dependencies.commit_barrier,
            policies,
            self.owned,
            topic=self.topics.telephony,
            clock=clock,
        )
        self.maintenance = MaintenanceScheduler(
            (
                MaintenanceJob("idle_calls", settings.idle_check_seconds, self.idle_call_timeout.step),
                MaintenanceJob("clock", _CLOCK_SECONDS, clock.sync),
                MaintenanceJob(
                    "retention", _MAINTENANCE_SECONDS, RetentionJob(store, policies, self.owned, clock=clock).run
                ),
                MaintenanceJob(
                    "tombstones",
                    _MAINTENANCE_SECONDS,
                    TombstoneJob(store, self.owned, self.tombstone_ttl, clock=clock).run,
                ),
                MaintenanceJob(
                    "redaction_sweep", _MAINTENANCE_SECONDS, RedactionSweep(store, self.owned, clock=clock).run
                ),
                MaintenanceJob("call_counts", _COUNT_SECONDS, CallCountsJob(store, self.counted, clock).run),
                MaintenanceJob("fleet", _FLEET_SECONDS, dependencies.fleet.check),
            )
        )
        self.batch_writer = BatchWriter(
            store,
            dependencies.dead_letters,
            self.schedule,
            dead_letter_topic=self.topics.dead_letter,
            partitions=self.partitions.fewest,
            log_id_hmac_key=settings.log_id_hmac_key.get_secret_value().encode(),
            slack_ms=policies.slack_ms,
            clock=clock,
            should_stop=lambda: not self.consumer.flow_active,
        )
        self.fold_loop = FoldLoop(
            store,
            dependencies.book,
            self.schedule,
            self.watermarks,
            large=dependencies.large,
            most_large=settings.pool_processes + settings.pool_queue,
            lease_seconds=settings.lease_seconds,
            poll_seconds=settings.poll_seconds,
            clock=clock,
            stepped=lambda: self.progress.step(_FOLD_LOOP),
        )
        self.watermark_writer = WatermarkWriter(store, self.arrived_until, self.partitions.fewest)
        self._watermarks = Watermarks(self.topics.inputs, clock)
        self._joined = False
        self._folding: asyncio.Task[Any] | None = None

    @property
    def consumer(self) -> ChunkConsumer:
        consumer: ChunkConsumer = self.app.consumer
        return consumer

    def watermarks(self) -> dict[int, Watermark]:
        """Return the watermark of each partition that this worker owns; none during a rebalance."""
        if self.app.rebalancing or not self.consumer.flow_active:
            return {}
        return self._watermarks.observe(self.consumer, self.consumer.assignment())

    def arrived_until(self) -> dict[int, int]:
        """Return until which arrival each partition of both topics is written, of those that this worker owns."""
        arrived: dict[int, int] = {}
        for partition in self.owned():
            untils = [self.consumer.arrived_until(TP(topic, partition)) for topic in self.topics.inputs]
            known = [until for until in untils if until is not None]
            if len(known) == len(untils):
                arrived[partition] = min(known)
        return arrived

    def owned(self) -> frozenset[int]:
        """Return the partitions that this worker owns; none before it has joined, during a rebalance and at the end."""
        # `_joined` first: a worker that is stopped while it starts has no consumer yet.
        if not self._joined or self.app.should_stop or self.app.rebalancing or not self.consumer.flow_active:
            return frozenset()
        return frozenset(tp.partition for tp in self.consumer.assignment())

    def counted(self) -> frozenset[int] | None:
        """Return the partitions whose calls this worker counts; None as long as it does not know which it owns."""
        return None if not self._joined or self.app.rebalancing else self.owned()

    async def tombstone_ttl(self) -> int | None:
        """Return for how many milliseconds a deleted call keeps its tombstone; None: for ever."""
        days = self.settings.tombstone_days
        return await tombstone_ttl(self.settings.kafka, self.topics) if days is None else int(days * _DAY_MS)

    async def ingest(self, stream: StreamT[bytes]) -> None:
        """Write batch after batch, and acknowledge each once it is written.

        An error ends the process, so that Faust neither acknowledges nor restarts this agent: what is not acknowledged
        is delivered again.
        """
        try:
            async with asyncio.TaskGroup() as writes:
                others = asyncio.Semaphore(_CONCURRENT_BATCHES - 1)
                async for chunks in fetched(stream, _MOST_FETCHES):
                    for batch in _batches(chunks, self.settings.batch_events):
                        writes.create_task(self._write(batch, others))
                        await others.acquire()  # only then the next is taken: what comes meanwhile is written together
        except (asyncio.CancelledError, GeneratorExit):
            raise
        except BaseException:
            log.exception("ingest_failed")
            end_process(EXIT_FAILED)

    async def _write(self, chunks: Sequence[Chunk], others: asyncio.Semaphore) -> None:
        try:
            # A rebalance or a stop may have begun meanwhile: the next owner of the partitions reads the rest again.
            # After a quick rebalance the batch can also hold chunks of the new generation: nobody delivers those again.
            current = [chunk for chunk in chunks if self.consumer.may_write(chunk)]
            if current:
                await self._write_current(current)
        finally:
            others.release()

    async def _write_current(self, chunks: Sequence[Chunk]) -> None:
        with self.consumer.in_progress:
            self.progress.step(_INGEST)
            with suppress(RetryAborted):
                await self.batch_writer.write([record for chunk in chunks for record in chunk.records])
                for chunk in chunks:
                    self.consumer.acknowledge(chunk)
        if self.consumer.in_progress:
            self.progress.step(_INGEST)
        else:
            self.progress.rest(_INGEST)

    async def fold(self) -> None:
        """Fold the calls that are due, until the app stops."""
        self._folding = asyncio.current_task()
        while not self.app.should_stop:
            try:
                outcome = await self.fold_loop.step()
            except StoreUnavailable:
                await asyncio.sleep(_UNAVAILABLE_SECONDS)  # the batch writer reports it
                continue
            if not outcome.stored:
                await asyncio.sleep(_IDLE_SECONDS)
        self.progress.rest(_FOLD_LOOP)

    async def stop_folding(self) -> None:
        """Cancel the fold loop, which releases its leases."""
        if self._folding is not None:
            self._folding.cancel()
            self.progress.rest(_FOLD_LOOP)
            await asyncio.wait([self._folding, asyncio.create_task(self.fold_loop.stop())], timeout=_STOP_SECONDS)

    async def readiness(self) -> str | None:
        """Return what is missing before events can be ingested, None if nothing is."""
        if self.app.kafka_unavailable:
            return "kafka"
        if not self._joined or self.app.rebalancing or not self.consumer.flow_active:
            return "the consumer group"
        try:
            async with asyncio.timeout(_PING_SECONDS):
                await self.store.ping()
        except (StoreUnavailable, TimeoutError):
            return "mongodb"
        return None

    async def on_assigned(self, _app: WorkerApp, assigned: set[Any], **_: object) -> None:
        """Record that this worker has joined the group; it may be assigned nothing."""
        self._joined = True
        metrics.ASSIGNED.set(len(assigned))
        self.consumer.commits.assigned(assigned)
        self.partitions.fewest()  # reports what has changed
        log.info("partitions_assigned", partitions=len(assigned))


def _batches(chunks: Sequence[Chunk], most_records: int) -> Iterator[list[Chunk]]:
    """Yield the chunks in order, as batches of at most `most_records` records and about 16 MB."""
    batch: list[Chunk] = []
    records = size = 0
    for chunk in chunks:
        chunk_size = sum(len(record.value or b"") for record in chunk.records)
        if batch and (records + len(chunk.records) > most_records or size + chunk_size > _BATCH_BYTES):
            metrics.FULL_BATCHES.inc()
            yield batch
            batch, records, size = [], 0, 0
        batch.append(chunk)
        records += len(chunk.records)
        size += chunk_size
    if batch:
        yield batch
