"""A Faust consumer that delivers whole fetches instead of single records, and commits only what is acknowledged.

Faust creates four asyncio tasks per message; here a message is all that one fetch returned. It is cut into chunks, each
of up to hundreds of records of one partition, which are written and acknowledged one by one. Which offsets are
committed: `offsets.py`.
"""

import logging
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import suppress
from typing import Any

from faust.transport.drivers import aiokafka as driver
from faust.types import TP
from faust.types.tuples import ConsumerMessage

from services.worker.consumer.arrivals import Arrivals
from services.worker.consumer.consumer_thread import ChunkThread
from services.worker.consumer.fetch import Chunk, cut
from services.worker.consumer.in_progress import InProgress
from services.worker.consumer.last_commits import LastCommits
from services.worker.consumer.offsets import Offsets
from services.worker.consumer.positions import Fetched
from services.worker.consumer.watch.changes import TopicChanges
from services.worker.ingest.decode_batch import KafkaRecord
from shared.process.logs import logger

log = logger(__name__)


class ChunkConsumer(driver.Consumer):  # type: ignore[misc]
    """Delivers fetches as lists of chunks; an offset is committed when every chunk up to it is acknowledged.

    A rebalance or a stop waits for the batches `in_progress`, and for nothing else. The worker that owns the partition
    afterwards reads what is queued behind them again, from the committed offset.
    """

    logger = logging.getLogger("faust")

    seek_pause = 1.0
    """Seconds between a seek that failed and the next."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._offsets = Offsets()
        self._arrivals = Arrivals(self._offsets)
        self.changes = TopicChanges()
        self.commits = LastCommits()
        self._in_doubt = False  # whether a fetch was made of which nothing is delivered
        self._seeks = 0  # odd while a seek is under way: Faust may turn the flow on meanwhile
        self.in_progress = InProgress()
        super().__init__(*args, **kwargs)

    def _new_consumer_thread(self) -> ChunkThread:
        return ChunkThread(self, loop=self.loop, beacon=self.beacon)

    # Reading

    async def getmany(self, timeout: float) -> AsyncIterator[tuple[TP, ConsumerMessage]]:  # noqa: ASYNC109 - Faust's
        """Yield one message, whose value is the list of all chunks that one fetch returned; none if it was empty."""
        in_doubt, self._in_doubt = self._in_doubt, True
        if not in_doubt:  # nothing is on its way from the thread: what it had read is delivered
            self._arrivals.delivered(self._thread.ends)
        seeks = self._seeks
        fetched, active = await self._wait_next_records(timeout)
        generation = self.app.consumer_generation_id
        if fetched is None or self.should_stop:
            return
        sought = seeks != self._seeks or seeks % 2
        if in_doubt or sought or not self.flow_active:
            await self._seek_again()
            return
        now = self.app.clock()
        for tp, records in fetched.items():
            self._arrivals.compare_clocks(tp, records, self._thread.ends, now)

        def is_active(tp: TP) -> bool:
            return active is None or tp in active or tp in self._buffered_partitions

        chunks = [
            chunk
            for tp, records in fetched.items()
            if is_active(tp)
            for chunk in cut(tp, self._unread(tp, records), generation, now)
        ]
        for chunk in chunks:
            self._offsets.deliver(chunk)
            self._read_offset[chunk.tp] = chunk.next_offset - 1  # as Faust does for the message's partition alone
        # In one step with the chunks, or what is committed could pass records that are on their way.
        for tp, position in fetched.positions.items() if isinstance(fetched, Fetched) else ():
            if is_active(tp):
                self._offsets.reach(tp, position)
        self._in_doubt = False
        if chunks:
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
        """Go back to what is committed, since the position is past records that were fetched and dropped."""
        try:
            # First the batch being written, or its acknowledgements would be dropped before they are committed.
            await self.wait_empty()
            if self.assignment():  # without one there is no position: the next starts at what is committed
                await self.perform_seek()
            self._in_doubt = False
        except Exception as error:  # noqa: BLE001 - as Faust does: the next fetch tries again
            log.warning("seek_failed", error=type(error).__name__)
            await self.sleep(self.seek_pause)

    def _unread(self, tp: TP, records: Sequence[KafkaRecord]) -> Sequence[KafkaRecord]:
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
        return [tp for tp in self._offsets.known() if topics is None or tp in topics or tp.topic in topics]

    def _new_offset(self, tp: TP) -> int | None:
        return None if self.changes.deleted else self._offsets.committable(tp)

    async def _commit(self, offsets: Mapping[TP, int]) -> bool:
        committed: bool = await super()._commit(offsets)
        if committed:
            self.commits.committed(offsets)
        return committed

    # Rebalancing and stopping

    async def perform_seek(self) -> None:
        """Go back to the committed offsets, and drop what was delivered since."""
        self._seeks += 1
        try:
            self._offsets.clear()
            self._arrivals.clear()
            self.changes.sought()
            # Faust keeps what a failed commit would have committed, where nothing is: that would never be committed.
            self._committed_offset.clear()
            await super().perform_seek()
            # Only now: until then the thread may have found ends behind what is read again.
            self._thread.ends.clear()
        finally:
            self._seeks += 1

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
        self._arrivals.clear()

    async def wait_empty(self) -> None:
        """Wait until the batches being written are written or aborted, and commit."""
        await self.in_progress.ended()
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

    def partition_count(self, topic: str) -> int:
        """Return how many partitions a topic has, as Kafka was last asked; 0 for a topic that is unknown."""
        consumer = self._thread._consumer  # noqa: SLF001
        with suppress(KeyError):  # the thread takes a topic that is gone from the metadata
            return len(consumer.partitions_for_topic(topic) or ()) if consumer else 0
        return 0

    def arrived_until(self, tp: TP) -> int | None:
        """Return until which arrival (Unix milliseconds) all of a partition is written; None while it is unknown."""
        return self._arrivals.written_until(tp)

    @property
    def kafka_unavailable(self) -> str | None:
        """Why the consumer cannot read from Kafka now, None if it can."""
        unavailable: str | None = self._thread.watch.unavailable
        return unavailable

    async def verify_all_partitions_active(self) -> None:
        """Do nothing: by Faust's times a quiet night is an error, and it fails while a position is reset."""


class IdleProducer(driver.Producer):  # type: ignore[misc]
    """Faust's producer, which would only hold a connection: the worker's own producers publish."""

    logger = logging.getLogger("faust")

    async def on_start(self) -> None:
        """Connect to nothing."""


class ChunkTransport(driver.Transport):  # type: ignore[misc]
    """Faust's transport, with the consumer and the producer above."""

    Consumer = ChunkConsumer
    Producer = IdleProducer
