"""The worker as a Faust app: one agent for both topics, the folder beside it."""

import asyncio
import socket
from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import Any

from faust.types import EventT, StreamT
from mode.supervisors import CrashingSupervisor

from services.worker.consumer import lenient_headers, supported_versions
from services.worker.consumer.consumer import Chunk, ChunkConsumer
from services.worker.consumer.coordinator import CoordinatorWatch
from services.worker.consumer.faust_app import WorkerApp, faust_app
from services.worker.consumer.fetch import taken
from services.worker.folding.fold_loop import FoldLoop
from services.worker.folding.schedule import FoldSchedule, Watermark
from services.worker.folding.watermarks import Watermarks
from services.worker.ingest.dead_letters import DeadLetters
from services.worker.ingest.write_batch import BatchWriter
from services.worker.maintenance.commit_barrier import CommitBarrier
from services.worker.maintenance.idle_calls import IdleCallTimeout
from services.worker.maintenance.redaction_sweep import RedactionSweep
from services.worker.maintenance.retention import RetentionJob, TombstoneJob
from services.worker.maintenance.scheduler import MaintenanceJob, MaintenanceScheduler
from services.worker.maintenance.telephony import InferredEndPublisher
from services.worker.maintenance.tombstones import lasting
from services.worker.runtime.health_server import HealthServer
from services.worker.runtime.retry import RetryAborted
from services.worker.runtime.watchdog import Watchdog, end_process
from services.worker.settings import WorkerSettings
from shared.calls.large_calls import LargeCalls
from shared.config.policies import Policies
from shared.contract.topics import Topics
from shared.fold.prices import PriceBook
from shared.process import metrics
from shared.process.clock import now_ms
from shared.process.logs import logger
from shared.store.ports import Store, StoreUnavailable

log = logger(__name__)

EXIT_FAILED = 71
_BATCH_BYTES = 16 * 1024 * 1024
# One is decoded while MongoDB writes the other. They are to the protocol what two workers' batches are.
_BATCHES_UNDER_WAY = 2
_TICK_SECONDS = 0.25
_BLOCKED_SECONDS = 120.0
_PING_SECONDS = 1.0
_CHORE_SECONDS = 5.0
_DAY_MS = 86_400_000
_BREAK_OFF_SECONDS = 5.0


class Worker:
    """What runs in one process: batches by `ingest`, folds by `fold`, both until the app stops."""

    def __init__(
        self,
        settings: WorkerSettings,
        store: Store,
        dead_letters: DeadLetters,
        book: PriceBook,
        *,
        telephony: InferredEndPublisher,
        commit_barrier: CommitBarrier,
        large: LargeCalls,
        policies: Policies,
        partitions: int,
    ) -> None:
        self.settings = settings
        self.store = store
        self.closer = IdleCallTimeout(store, telephony, commit_barrier, policies, self.owned)
        self.maintenance = MaintenanceScheduler(
            (
                MaintenanceJob("close", settings.idle_check_seconds, self.closer.step),
                MaintenanceJob("retention", _CHORE_SECONDS, RetentionJob(store, policies, self.owned).act),
                MaintenanceJob("tombstones", _CHORE_SECONDS, TombstoneJob(store, self.owned, self.lasting).act),
                MaintenanceJob("sweep", _CHORE_SECONDS, RedactionSweep(store, self.owned).act),
            )
        )
        self.topics = Topics(settings.topic_prefix)
        self.app = faust_app(settings)
        self.schedule = FoldSchedule()
        self._tracked_watermarks = Watermarks(self.topics.inputs, now_ms)
        self._joined = False
        self._folding: asyncio.Task[Any] | None = None
        self.flush = BatchWriter(
            store,
            dead_letters,
            self.schedule,
            partitions=partitions,
            log_id_hmac_key=settings.log_id_hmac_key.get_secret_value().encode(),
            slack_ms=policies.slack_ms,
            should_stop=lambda: not self.consumer.flow_active,
        )
        self.fold_loop = FoldLoop(
            store,
            book,
            self.schedule,
            self.watermarks,
            large=large,
            most_large=settings.pool_processes + settings.pool_queue,
            lease_seconds=settings.lease_seconds,
            poll_seconds=settings.poll_seconds,
        )

    @property
    def consumer(self) -> ChunkConsumer:
        """Faust's consumer, which is ours."""
        consumer: ChunkConsumer = self.app.consumer
        return consumer

    def watermarks(self) -> dict[int, Watermark]:
        """Return how far each partition that this worker owns is written; nothing during a rebalance."""
        if self.app.rebalancing or not self.consumer.flow_active:
            return {}
        return self._tracked_watermarks.observe(self.consumer, self.consumer.assignment())

    def owned(self) -> frozenset[int]:
        """Return the partitions that this worker owns; none before it has joined, during a rebalance and at the end."""
        # Where it is stopped while it starts, there is no consumer yet that could be asked.
        if not self._joined or self.app.should_stop or self.app.rebalancing or not self.consumer.flow_active:
            return frozenset()
        return frozenset(tp.partition for tp in self.consumer.assignment())

    async def lasting(self) -> int | None:
        """Return for how many milliseconds a deleted call has to be remembered; None: for ever."""
        days = self.settings.tombstone_days
        return await lasting(self.settings.kafka, self.topics) if days is None else int(days * _DAY_MS)

    async def ingest(self, stream: StreamT[bytes]) -> None:
        """Write batch after batch, and acknowledge each once it is written.

        Faust is left no chance to acknowledge by itself, or to restart this in the process: an error ends the process,
        and what was not acknowledged is delivered again.
        """
        try:
            async for events in taken(stream):
                await self._write(events)
        except (asyncio.CancelledError, GeneratorExit):
            raise
        except BaseException:
            log.exception("ingest_failed")
            end_process(EXIT_FAILED)

    async def _write(self, events: Sequence[EventT[Any]]) -> None:
        turns = asyncio.Semaphore(_BATCHES_UNDER_WAY)
        batches = _batches(events, self.settings.batch_events)
        async with self.consumer.busy:
            await asyncio.gather(*(self._flush(batch, turns) for batch in batches))

    async def _flush(self, events: Sequence[EventT[Any]], turns: asyncio.Semaphore) -> None:
        async with turns:
            # A rebalance, or the end of the process, came in between: whoever owns the partitions reads them again.
            # A rebalance can be so quick that the batch holds chunks from after it too, which nobody brings again.
            current = [event for event in events if self.consumer.takes(event.message)]
            if not current:
                return
            try:
                await self.flush.flush([record for event in current for record in event.value])
            except RetryAborted:
                return
            for event in current:
                event.ack()

    async def fold(self) -> None:
        """Fold what is ripe, again and again."""
        self._folding = asyncio.current_task()
        while not self.app.should_stop:
            try:
                outcome = await self.fold_loop.step()
            except StoreUnavailable:
                await asyncio.sleep(1.0)  # the batches wait for it, and say so
                continue
            if not outcome.stored:
                await asyncio.sleep(_TICK_SECONDS)

    async def stop_folding(self) -> None:
        """Break the folder off, which gives back what it has claimed."""
        if self._folding is not None:
            self._folding.cancel()
            await asyncio.wait([self._folding, asyncio.create_task(self.fold_loop.stop())], timeout=_BREAK_OFF_SECONDS)

    async def readiness(self) -> str | None:
        """Return what is missing before events are taken: None when nothing is."""
        if not self._joined or self.app.rebalancing or not self.consumer.flow_active:
            return "the consumer group"
        try:
            async with asyncio.timeout(_PING_SECONDS):
                await self.store.ping()
        except (StoreUnavailable, TimeoutError):
            return "mongodb"
        return None

    async def on_assigned(self, _app: WorkerApp, assigned: set[Any], **_: object) -> None:
        """Take in that the group has settled; a worker may be given nothing."""
        self._joined = True
        metrics.ASSIGNED.set(len(assigned))
        log.info("partitions_assigned", partitions=len(assigned))


def create_app(
    settings: WorkerSettings,
    store: Store,
    dead_letters: DeadLetters,
    book: PriceBook,
    *,
    telephony: InferredEndPublisher,
    commit_barrier: CommitBarrier,
    large: LargeCalls,
    policies: Policies,
    partitions: int,
    listening: socket.socket,
    close: Callable[[], Awaitable[None]],
) -> WorkerApp:
    """Return the app, which connects when it is started.

    `partitions` is the number of each input topic's; `listening` is where operators ask; `close` closes the connections
    that the store, the dead letters and the telephony topic have.

    Raises:
        UntestedFaust: another Faust than this was tested with.
    """
    supported_versions.check()
    lenient_headers.install()
    worker = Worker(
        settings,
        store,
        dead_letters,
        book,
        telephony=telephony,
        commit_barrier=commit_barrier,
        large=large,
        policies=policies,
        partitions=partitions,
    )
    app = worker.app
    topic = app.topic(*worker.topics.inputs, key_type=bytes, value_type=bytes)
    app.agent(topic, name="ingest", concurrency=1, supervisor_strategy=CrashingSupervisor)(worker.ingest)
    watchdog = Watchdog(
        lambda: bool(app.should_stop or app.crashed),
        grace_seconds=settings.grace_seconds,
        blocked_seconds=_BLOCKED_SECONDS,
    )
    watchdog.start()
    app.task(watchdog.feed)
    app.task(worker.fold)
    # The consumer is made when the app starts.
    app.task(CoordinatorWatch(lambda: worker.consumer.knows_coordinator()).run)  # noqa: PLW0108
    app.task(worker.maintenance.run)
    app.on_partitions_assigned.connect(worker.on_assigned, weak=False)
    app.leaving = (worker.maintenance.stop, worker.stop_folding, close, watchdog.finished)
    app.beside = (HealthServer(listening, worker.readiness, beacon=app.beacon),)
    return app


def _batches(events: Sequence[EventT[Any]], most: int) -> Iterator[list[EventT[Any]]]:
    """Yield whole chunks, in order, together of at most `most` records and about 16 MB."""
    batch: list[EventT[Any]] = []
    records = size = 0
    for event in events:
        chunk: Chunk = event.message
        weight = sum(len(record.value or b"") for record in event.value)
        if batch and (records + chunk.count > most or size + weight > _BATCH_BYTES):
            yield batch
            batch, records, size = [], 0, 0
        batch.append(event)
        records += chunk.count
        size += weight
    if batch:
        yield batch
