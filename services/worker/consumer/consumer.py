"""A Faust consumer that delivers runs of records instead of single ones, and commits only what was acknowledged.

Faust creates four asyncio tasks per message; here a message is a chunk of up to hundreds of records of one partition.
Its bookkeeping of offsets (a heap of single ones, in which a hole can be lost) gives way to a queue per partition: the
position is the end of the last chunk that was acknowledged with all before it.
"""

import asyncio
import logging
from collections import defaultdict, deque
from collections.abc import AsyncIterator, Iterable, Sequence
from typing import Any

from aiokafka import AIOKafkaConsumer, ConsumerRecord
from aiokafka.errors import KafkaConnectionError, KafkaError
from faust.transport.drivers import aiokafka as driver
from faust.types import TP
from faust.types.tuples import ConsumerMessage
from mode import Service

from services.worker.consumer.pacing import pace
from services.worker.runtime.retry import retry_until_available
from shared.process.dependencies import DependencyStatus
from shared.process.logs import logger

MAX_CHUNK = 500
# An idle fetch holds back partitions that have become ready meanwhile, for as long as it may wait.
_FETCH_WAIT_MS = 100
_FETCH_EVERY_SECONDS = 0.01
# All partitions together, each with as much as may be fetched of one, would be memory without a use.
_FETCH_MAX_BYTES = 8 * 1024 * 1024
# Longer than the coordinator takes to refuse again.
_GROUP_CHECK_SECONDS = 2.0

log = logger(__name__)


class Chunk(ConsumerMessage):  # type: ignore[misc]
    """A run of records of one partition; `value` is the list of them. `to_come` more were fetched with it."""

    __slots__ = ("count", "last_timestamp", "next_offset", "to_come")

    to_come: int
    next_offset: int
    last_timestamp: int
    count: int


class ChunkThread(driver.AIOKafkaConsumerThread):  # type: ignore[misc]
    """Faust's consumer thread, but it waits for Kafka, reads what is committed only, and fetches otherwise."""

    logger = logging.getLogger("faust")

    async def on_start(self) -> None:
        """Connect, however long Kafka is away."""
        await retry_until_available("kafka", self._connect, KafkaConnectionError)

    async def _connect(self) -> None:
        try:
            await super().on_start()
        except KafkaConnectionError:
            await self._consumer.stop()
            raise
        pace(self._consumer._fetcher, _FETCH_EVERY_SECONDS)  # noqa: SLF001

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
    """Delivers chunks; an offset is committed when every chunk up to it was acknowledged.

    `busy` is held while records are being written: a rebalance or a stop waits for it, and for nothing else. What is
    queued behind it is read again from the committed offset, by whoever owns the partition then.
    """

    logger = logging.getLogger("faust")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._chunks: defaultdict[TP, deque[Chunk]] = defaultdict(deque)
        self._done: dict[TP, int] = {}
        self._timestamps: dict[TP, int] = {}
        self.busy = asyncio.Lock()
        super().__init__(*args, **kwargs)

    def _new_consumer_thread(self) -> ChunkThread:
        return ChunkThread(self, loop=self.loop, beacon=self.beacon)

    # Reading

    async def getmany(self, timeout: float) -> AsyncIterator[tuple[TP, Chunk]]:  # noqa: ASYNC109 - Faust's signature
        """Yield the chunks that one fetch brought."""
        fetched, active = await self._wait_next_records(timeout)
        generation = self.app.consumer_generation_id
        if fetched is None or self.should_stop:
            return
        if not self.flow_active:
            await self._seek_again()
            return
        chunks = [
            (tp, chunk)
            for tp, records in fetched.items()
            if active is None or tp in active or tp in self._buffered_partitions
            for chunk in self._cut(tp, self._unread(tp, records), generation)
        ]
        # All at once: what waits here while the queue is full has been read, and must not pass for written.
        for number, (tp, chunk) in enumerate(chunks, 1):
            chunk.to_come = len(chunks) - number
            self._chunks[tp].append(chunk)
        for tp, chunk in chunks:
            if not self.flow_active or self.app.consumer_generation_id != generation:
                return
            yield tp, chunk

    async def _seek_again(self) -> None:
        try:
            # First the batch under way, or its acknowledgements would be forgotten before they are committed.
            await self.wait_empty()
            await self.perform_seek()
        except Exception as error:  # noqa: BLE001 - as Faust does: the next fetch tries again
            log.warning("seek_failed", error=type(error).__name__)

    def _unread(self, tp: TP, records: Sequence[ConsumerRecord]) -> Sequence[ConsumerRecord]:
        read = self._read_offset[tp]
        if read is None or records[0].offset >= read:
            return records
        if records[-1].offset >= read:
            # After a seek the broker may send again what was delivered already.
            return [record for record in records if record.offset >= read]
        # The topic was made anew, or cut short by a broker that had lost its end: what stands there now is new.
        log.warning("offsets_reset", topic=tp.topic, partition=tp.partition, before=read, now=records[0].offset)
        self._read_offset[tp] = self._committed_offset[tp] = None
        self._chunks.pop(tp, None)
        self._done.pop(tp, None)
        return records

    @staticmethod
    def _cut(tp: TP, records: Sequence[ConsumerRecord], generation: int) -> Iterable[Chunk]:
        for start in range(0, len(records), MAX_CHUNK):
            part = records[start : start + MAX_CHUNK]
            last = part[-1]
            chunk = Chunk(
                *(tp.topic, tp.partition, last.offset, last.timestamp / 1000.0, last.timestamp_type),
                *(None, None, part, None, 0, 0, tp),
                generation_id=generation,
            )
            chunk.next_offset = last.offset + 1
            chunk.last_timestamp = last.timestamp
            chunk.count = len(part)
            yield chunk

    def on_buffer_full(self, tp: TP) -> None:
        """Do nothing: a full queue holds the fetcher up by itself, without Faust's pauses of a second."""

    async def _add_gap(self, tp: TP, offset_from: int, offset_to: int) -> None:
        """Do nothing: offsets within a chunk, or left out by compaction and transactions, are no gaps here."""

    # Acknowledging

    def ack(self, message: Chunk) -> bool:
        """Mark a chunk as written."""
        if message.acked:
            return False
        message.acked = True
        self._unacked_messages.discard(message)
        self._n_acked += message.count
        return True

    def _filter_tps_with_pending_acks(self, topics: Any = None) -> list[TP]:
        return [tp for tp in list(self._chunks) if topics is None or tp in topics or tp.topic in topics]

    def _new_offset(self, tp: TP) -> int | None:
        self._advance(tp)
        return self._done.get(tp)

    def _advance(self, tp: TP) -> None:
        queue = self._chunks[tp]
        while queue and queue[0].acked:
            chunk = queue.popleft()
            self._done[tp] = chunk.next_offset
            self._timestamps[tp] = chunk.last_timestamp

    # Rebalancing and stopping

    async def perform_seek(self) -> None:
        """Go back to what is committed, and forget what was delivered since."""
        self._forget()
        await super().perform_seek()

    async def seek_to_committed(self) -> dict[TP, int | None]:
        """Go back to what is committed, and to the beginning where nothing is.

        Faust and aiokafka leave such a partition where it stands: past what was fetched and thrown away.
        """
        committed: dict[TP, int | None] = await super().seek_to_committed()
        never = [tp for tp, offset in committed.items() if not offset]
        if never:
            await self._thread.seek_to_beginning(*never)
        return committed

    async def on_partitions_revoked(self, revoked: set[TP]) -> None:
        """Commit what is acknowledged before Faust forgets it, then wait for the batch under way."""
        # Faust leaves the flow on if the worker owned nothing. What it is given next would then be delivered while
        # Faust still seeks and clears the queue: delivered, but never written, so that commits stop before it.
        self.stop_flow()
        await self.commit()
        await super().on_partitions_revoked(revoked)
        self._forget()

    async def wait_empty(self) -> None:
        """Wait until the batch under way is written or given up, and commit."""
        async with self.busy:
            await self.commit()

    def _forget(self) -> None:
        self._chunks.clear()
        self._done.clear()
        self._timestamps.clear()

    # Telling how far it is

    def takes(self, chunk: Chunk) -> bool:
        """Tell whether a delivered chunk may still be written: not in the middle of a rebalance, nor after one."""
        return bool(self.flow_active) and chunk.generation_id == self.app.consumer_generation_id

    def written_until(self, tp: TP) -> int:
        """Return the timestamp (Unix milliseconds) of the last record up to which all are written; 0 for none."""
        self._advance(tp)
        return self._timestamps.get(tp, 0)

    def end_position(self, tp: TP) -> int | None:
        """Return the position if everything up to the end of the partition, as last heard, is written; else None."""
        self._advance(tp)
        consumer = self._thread._consumer  # noqa: SLF001
        assignment = consumer._subscription.subscription.assignment if consumer else None  # noqa: SLF001
        state = assignment.state_value(tp) if assignment else None
        if self._chunks[tp] or state is None or not state.has_valid_position or state.lso is None:
            return None
        position: int = state.position
        return position if position >= state.lso else None

    def knows_coordinator(self) -> bool:
        """Tell whether the group's coordinator answers, as the last heartbeat or commit found it."""
        consumer = self._thread._consumer  # noqa: SLF001
        return consumer is not None and consumer._coordinator.coordinator_id is not None  # noqa: SLF001


class RetryingProducer(driver.Producer):  # type: ignore[misc]
    """Faust's producer, by which nothing is sent, but it waits for Kafka: else its start would end the process."""

    logger = logging.getLogger("faust")

    async def on_start(self) -> None:
        """Connect, however long Kafka is away."""
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
