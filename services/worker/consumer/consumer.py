"""A Faust consumer that delivers whole fetches instead of single records, and commits only what is acknowledged.

Faust creates four asyncio tasks per message; here a message is all that one fetch returned. It is cut into chunks, each
of up to hundreds of records of one partition, which are written and acknowledged one by one. Which offsets are
committed: `offsets.py`.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from typing import Any

from aiokafka import AIOKafkaConsumer, ConsumerRecord
from aiokafka.errors import KafkaConnectionError, KafkaError
from faust.transport.drivers import aiokafka as driver
from faust.types import TP
from faust.types.tuples import ConsumerMessage
from mode import Service

from services.worker.consumer.bounded_reading import bound
from services.worker.consumer.fetch import Chunk, cut, pace
from services.worker.consumer.offsets import Offsets
from services.worker.runtime.retry import retry_until_available
from shared.process.dependencies import DependencyStatus
from shared.process.logs import logger

# A fetch that waits at the broker holds back the partitions that get records meanwhile.
_FETCH_WAIT_MS = 100
_FETCH_EVERY_SECONDS = 0.01
# The default per partition (1 MB) times all partitions would take memory to no purpose.
_FETCH_MAX_BYTES = 8 * 1024 * 1024
# Longer than the coordinator takes to refuse again.
_GROUP_CHECK_SECONDS = 2.0

log = logger(__name__)


class ChunkThread(driver.AIOKafkaConsumerThread):  # type: ignore[misc]
    """Faust's consumer thread; it waits for Kafka, reads committed transactions only, and has its own fetch limits."""

    logger = logging.getLogger("faust")

    async def on_start(self) -> None:
        """Connect, however long Kafka is unavailable."""
        await retry_until_available("kafka", self._connect, KafkaConnectionError)

    async def _connect(self) -> None:
        try:
            await super().on_start()
        except KafkaConnectionError:
            await self._consumer.stop()
            raise
        pace(self._consumer._fetcher, _FETCH_EVERY_SECONDS)  # noqa: SLF001
        bound(self._consumer._fetcher)  # noqa: SLF001

    def _create_worker_consumer(self, transport: Any) -> AIOKafkaConsumer:
        consumer = super()._create_worker_consumer(transport)
        # Faust does not pass these on.
        consumer._isolation_level = "read_committed"  # noqa: SLF001
        consumer._fetch_max_wait_ms = _FETCH_WAIT_MS  # noqa: SLF001
        consumer._fetch_max_bytes = _FETCH_MAX_BYTES  # noqa: SLF001
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


class ChunkConsumer(driver.Consumer):  # type: ignore[misc]
    """Delivers fetches as lists of chunks; an offset is committed when every chunk up to it is acknowledged.

    `busy` is held while records are being written: a rebalance or a stop waits for it, and for nothing else. The worker
    that owns the partition afterwards reads what is queued behind it again, from the committed offset.
    """

    logger = logging.getLogger("faust")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._offsets = Offsets()
        self.busy = asyncio.Lock()
        super().__init__(*args, **kwargs)

    def _new_consumer_thread(self) -> ChunkThread:
        return ChunkThread(self, loop=self.loop, beacon=self.beacon)

    # Reading

    async def getmany(self, timeout: float) -> AsyncIterator[tuple[TP, ConsumerMessage]]:  # noqa: ASYNC109 - Faust's
        """Yield one message, whose value is the list of all chunks that one fetch returned; none if it was empty."""
        fetched, active = await self._wait_next_records(timeout)
        generation = self.app.consumer_generation_id
        if fetched is None or self.should_stop:
            return
        if not self.flow_active:
            await self._seek_again()
            return
        chunks = [
            chunk
            for tp, records in fetched.items()
            if active is None or tp in active or tp in self._buffered_partitions
            for chunk in cut(tp, self._unread(tp, records), generation)
        ]
        if not chunks:
            return
        for chunk in chunks:
            self._offsets.deliver(chunk)
            self._read_offset[chunk.tp] = chunk.next_offset - 1  # as Faust does for the message's partition alone
        yield chunks[0].tp, self._message(chunks)

    @staticmethod
    def _message(chunks: Sequence[Chunk]) -> ConsumerMessage:
        """Return the message for Faust, which needs it to be of one partition."""
        tp = chunks[0].tp
        last = next(chunk for chunk in reversed(chunks) if chunk.tp == tp).records[-1]
        return ConsumerMessage(
            *(tp.topic, tp.partition, last.offset, last.timestamp / 1000.0, last.timestamp_type),
            *(None, None, chunks, None, 0, 0, tp),
            generation_id=chunks[0].generation,
        )

    async def _seek_again(self) -> None:
        try:
            # First the batch being written, or its acknowledgements would be dropped before they are committed.
            await self.wait_empty()
            await self.perform_seek()
        except Exception as error:  # noqa: BLE001 - as Faust does: the next fetch tries again
            log.warning("seek_failed", error=type(error).__name__)

    def _unread(self, tp: TP, records: Sequence[ConsumerRecord]) -> Sequence[ConsumerRecord]:
        read = self._read_offset[tp]
        if read is None or records[0].offset >= read:
            return records
        if records[-1].offset >= read:
            # After a seek the broker may send again what is delivered already.
            return [record for record in records if record.offset >= read]
        # The topic was created anew, or truncated by a broker that lost its end: these records are new.
        log.warning("offsets_reset", topic=tp.topic, partition=tp.partition, before=read, now=records[0].offset)
        self._read_offset[tp] = self._committed_offset[tp] = None
        self._offsets.forget(tp)
        return records

    def on_buffer_full(self, tp: TP) -> None:
        """Do nothing: a full queue blocks the fetcher by itself, without Faust's pauses of a second."""

    async def _add_gap(self, tp: TP, offset_from: int, offset_to: int) -> None:
        """Do nothing: offsets within a chunk, or missing after compaction or transactions, are no gaps here."""

    # Acknowledging

    def acknowledge(self, chunk: Chunk) -> None:
        """Record that a chunk is written."""
        if not chunk.acked:
            chunk.acked = True
            self._n_acked += len(chunk.records)

    def ack(self, message: ConsumerMessage) -> bool:
        """Acknowledge nothing: what Faust acknowledges by itself need not be written."""
        del message
        return False

    def _filter_tps_with_pending_acks(self, topics: Any = None) -> list[TP]:
        return [tp for tp in self._offsets.delivered() if topics is None or tp in topics or tp.topic in topics]

    def _new_offset(self, tp: TP) -> int | None:
        return self._offsets.committable(tp)

    # Rebalancing and stopping

    async def perform_seek(self) -> None:
        """Go back to the committed offsets, and drop what was delivered since."""
        self._offsets.clear()
        await super().perform_seek()

    async def seek_to_committed(self) -> dict[TP, int | None]:
        """Go back to the committed offsets, and to the beginning where none is committed.

        Faust and aiokafka leave such a partition at its position: past what was fetched and dropped.
        """
        committed: dict[TP, int | None] = await super().seek_to_committed()
        uncommitted = [tp for tp, offset in committed.items() if not offset]
        if uncommitted:
            await self._thread.seek_to_beginning(*uncommitted)
        return committed

    async def on_partitions_revoked(self, revoked: set[TP]) -> None:
        """Commit what is acknowledged before Faust drops it, then wait for the batch being written."""
        # Faust leaves the flow on if the worker owned nothing. Records of its next partitions would then be delivered
        # while Faust still seeks and clears the queue: delivered, but never written, so that commits stop before them.
        self.stop_flow()
        await self.commit()
        await super().on_partitions_revoked(revoked)
        self._offsets.clear()

    async def wait_empty(self) -> None:
        """Wait until the batch being written is written or aborted, and commit."""
        async with self.busy:
            await self.commit()

    # Positions

    def may_write(self, chunk: Chunk) -> bool:
        """Return whether a delivered chunk may still be written: not during a rebalance, nor after one."""
        return bool(self.flow_active) and chunk.generation == self.app.consumer_generation_id

    def written_until(self, tp: TP) -> int:
        """Return the timestamp (Unix milliseconds) of the last record up to which all are written; 0 for none."""
        return self._offsets.written_until(tp)

    def end_position(self, tp: TP) -> int | None:
        """Return the position if all up to the end of the partition, as the last fetch knew it, is written; or None."""
        consumer = self._thread._consumer  # noqa: SLF001
        assignment = consumer._subscription.subscription.assignment if consumer else None  # noqa: SLF001
        state = assignment.state_value(tp) if assignment else None
        if not self._offsets.all_written(tp) or state is None or not state.has_valid_position or state.lso is None:
            return None
        position: int = state.position
        return position if position >= state.lso else None

    def knows_coordinator(self) -> bool:
        """Return whether the group's coordinator answered the last heartbeat or commit."""
        consumer = self._thread._consumer  # noqa: SLF001
        return consumer is not None and consumer._coordinator.coordinator_id is not None  # noqa: SLF001


class RetryingProducer(driver.Producer):  # type: ignore[misc]
    """Faust's producer, which sends nothing; it waits for Kafka, or its start would end the process."""

    logger = logging.getLogger("faust")

    async def on_start(self) -> None:
        """Connect, however long Kafka is unavailable."""
        await retry_until_available("kafka", self._connect, KafkaConnectionError)

    async def _connect(self) -> None:
        try:
            await super().on_start()
        except KafkaConnectionError:
            await self._producer.stop()
            raise


class ChunkTransport(driver.Transport):  # type: ignore[misc]
    """Faust's transport, with the consumer and the producer above."""

    Consumer = ChunkConsumer
    Producer = RetryingProducer
