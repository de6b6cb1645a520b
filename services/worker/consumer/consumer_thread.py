"""Faust's consumer thread as the worker needs it: how it connects and fetches, and whether Kafka answers it."""

import asyncio
import logging
import time
from typing import Any

from aiokafka import AIOKafkaConsumer
from aiokafka.errors import KafkaConnectionError, KafkaError
from faust.transport.drivers import aiokafka as driver
from faust.types import TP
from mode import Service

from services.worker.consumer.batches.bounded_reading import bound
from services.worker.consumer.fetch import pace, partition_bytes
from services.worker.consumer.positions import Fetched, OpenTransactions, positions, stable_ends
from services.worker.consumer.read_ends import ReadEnd, record_ends
from services.worker.consumer.watch.kafka_watch import BOOTSTRAP, Answers, KafkaWatch, ask, coordinator_of, observe
from services.worker.runtime.retry import retry_until_available
from shared.process.dependencies import DependencyStatus

# A fetch that waits at the broker holds back the partitions that get records meanwhile.
_FETCH_WAIT_MS = 100
_FETCH_EVERY_SECONDS = 0.01
# The default per partition (1 MB) times all partitions would take memory to no purpose.
_FETCH_MAX_BYTES = 8 * 1024 * 1024
_WATCH_SECONDS = 0.5
# Longer than the coordinator takes to refuse again.
_GROUP_CHECK_SECONDS = 2.0
_TRANSACTIONS_SECONDS = 1.0
_ANSWERED_LATELY_SECONDS = 5.0


class ChunkThread(driver.AIOKafkaConsumerThread):  # type: ignore[misc]
    """Faust's consumer thread; it waits for Kafka, reads committed transactions only, and has its own fetch limits."""

    logger = logging.getLogger("faust")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.ends: dict[TP, ReadEnd] = {}
        self._answered: dict[TP, float] = {}
        self._answers = Answers()
        self.watch = KafkaWatch(self._answers, self._has_coordinator)
        super().__init__(*args, **kwargs)

    async def on_start(self) -> None:
        """Connect, however long Kafka is unavailable."""
        # A task of the service would start when it is connected.
        self.add_future(self._watch_kafka())
        await retry_until_available("kafka", self._connect, KafkaConnectionError)

    async def _connect(self) -> None:
        try:
            with self._answers.request(BOOTSTRAP):
                await super().on_start()
        except KafkaConnectionError:
            await self._consumer.stop()
            raise
        record_ends(self._consumer._fetcher, self.ends, self._answered, self.app.clock)  # noqa: SLF001
        pace(self._consumer._fetcher, _FETCH_EVERY_SECONDS)  # noqa: SLF001
        bound(self._consumer._fetcher)  # noqa: SLF001
        self.consumer.changes.watch(self._consumer)

    async def _watch_kafka(self) -> None:
        asking: set[asyncio.Task[None]] = set()
        while not self.should_stop:
            began = time.monotonic()
            asking = {task for task in asking if not task.done()}
            if self._consumer is not None:
                asking |= ask(self._consumer, self._answers)
            await asyncio.sleep(_WATCH_SECONDS)
            # A thread that was held up has not read the answers yet.
            if time.monotonic() - began < 2 * _WATCH_SECONDS:
                self.watch.check()

    def _has_coordinator(self) -> bool:
        """Return whether the group's coordinator answered the last heartbeat or commit, or is not needed yet."""
        consumer = self._consumer
        return consumer is None or not consumer.subscription() or coordinator_of(consumer) is not None

    async def _keepalive2(self) -> None:
        """Do nothing: mode wakes the main loop here, which the worker's own tasks do, and calls a pause an error."""

    def _create_worker_consumer(self, transport: Any) -> AIOKafkaConsumer:
        consumer = super()._create_worker_consumer(transport)
        # Faust does not pass these on.
        consumer._isolation_level = "read_committed"  # noqa: SLF001
        consumer._fetch_max_wait_ms = _FETCH_WAIT_MS  # noqa: SLF001
        consumer._fetch_max_bytes = _FETCH_MAX_BYTES  # noqa: SLF001
        observe(consumer._client, self._answers)  # noqa: SLF001
        return consumer

    @Service.task  # type: ignore[untyped-decorator]
    async def _watch_group(self) -> None:
        """Report why the group's coordinator refuses this worker.

        aiokafka raises it to the next fetch, and retries only then; Faust fetches once it has joined.
        """
        status = DependencyStatus("group")
        while not self.should_stop:
            try:
                self._consumer._coordinator.check_errors()  # noqa: SLF001
            except KafkaError as error:
                status.unavailable(str(error))
            else:
                status.recovered()
            await asyncio.sleep(_GROUP_CHECK_SECONDS)

    @Service.task  # type: ignore[untyped-decorator]
    async def _watch_transactions(self) -> None:
        """Report partitions that an open transaction holds up."""
        transactions = OpenTransactions()
        while not self.should_stop:
            now = time.monotonic()
            # What is not fetched, as while the queue is full, is not known.
            lately = {tp for tp, answered in self._answered.items() if now - answered < _ANSWERED_LATELY_SECONDS}
            transactions.observe({tp: ends for tp, ends in stable_ends(self._consumer).items() if tp in lately}, now)
            await asyncio.sleep(_TRANSACTIONS_SECONDS)

    async def _fetch_records(
        self,
        consumer: AIOKafkaConsumer,
        active_partitions: set[TP],
        timeout: float | None = None,  # noqa: ASYNC109 - Faust's
        max_records: int | None = None,
    ) -> Fetched:
        """Return the records with the positions behind them, read in one step: nothing can move them in between."""
        consumer._fetcher._max_partition_fetch_bytes = partition_bytes(len(consumer.assignment()))  # noqa: SLF001
        records = await super()._fetch_records(consumer, active_partitions, timeout, max_records)
        return Fetched(records, positions(consumer))
