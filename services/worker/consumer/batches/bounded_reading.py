"""Reading of any batch in bounded memory: what cannot be read is passed over, and reported in the place of its records.

Every batch, and all records that one fetch delivers, are bounded (docs/decisions/0020).
"""

import struct
import weakref
from collections.abc import Generator, Iterator, Sequence
from contextvars import ContextVar
from functools import partial
from typing import Any, ClassVar

from aiokafka import TopicPartition
from aiokafka.consumer import fetcher
from aiokafka.errors import CorruptRecordException

from services.worker.consumer.batches.decompression import UnreadableBatch
from services.worker.consumer.batches.fetched_record import FetchedRecord
from services.worker.consumer.batches.record_batches import (
    HEADER_BYTES,
    LATEST_FORMAT,
    FetchedBatches,
    SingleBatch,
    batch_of,
)
from services.worker.consumer.batches.usual_batches import HEADER_OBJECT_BYTES, OBJECT_BYTES, records_at_once
from services.worker.ingest.unread_records import UnreadRecords
from shared.contract.event import InvalidEvent
from shared.contract.rejection import Reason
from shared.process.logs import logger

FETCH_BYTES = 16 * 1024 * 1024
"""The size of the objects that one fetch delivers, and its last record more. Several fetches are queued."""

MOST_RECORD_BYTES = FETCH_BYTES
"""The largest record that is kept for its dead letter: ten times what is an event."""

# Bytes that were damaged on their way arrive well when they are fetched again.
_DAMAGED_FETCHES = 5
# A damaged header may claim more than the partition has: the position would be out of range, and start again.
_MOST_DAMAGED_OFFSETS = 1_000_000
_MAGIC_AT = 16
_BASE = struct.Struct(">q")
_LAST_DELTA = struct.Struct(">23xi")
_MAX_TIMESTAMP = struct.Struct(">35xq")
_COUNT = struct.Struct(">57xi")

log = logger(__name__)
_left: ContextVar[int | None] = ContextVar("left", default=None)
"""How many bytes the fetch that is being delivered may still have."""


def install(most_batch_bytes: int) -> None:
    """Make aiokafka's consumers of this process read batches of at most so many bytes, decompressed."""
    fetcher.MemoryRecords = partial(FetchedBatches, most_bytes=most_batch_bytes)
    fetcher.PartitionRecords = PartitionRecords
    fetcher.FetchResult = FetchResult


def bound(of: fetcher.Fetcher, most_bytes: int = FETCH_BYTES) -> None:
    """Let the fetcher deliver at most so many bytes at once; the rest waits as it was fetched."""
    deliver = of.fetched_records

    async def bounded(*arguments: Any, **named: Any) -> dict[TopicPartition, list[Any]]:
        _left.set(most_bytes)
        delivered: dict[TopicPartition, list[Any]] = await deliver(*arguments, **named)
        return delivered

    of.fetched_records = bounded


class FetchResult(fetcher.FetchResult):  # type: ignore[misc]
    """What was fetched of one partition; aiokafka delivers all of it at once."""

    _partition_records: Any

    def __init__(self, tp: TopicPartition, *, partition_records: "PartitionRecords", **named: Any) -> None:
        super().__init__(tp, partition_records=partition_records, **named)
        # At a rebalance or a seek a fetch is dropped half read; its generator would hold it as a cycle.
        weakref.finalize(self, partition_records.close)

    def getall(self, max_records: int | None = None) -> list[Any]:
        left = _left.get()
        if left is None:
            unbounded: list[Any] = super().getall(max_records)
            return unbounded
        if not self.check_assignment(self._topic_partition) or not self.has_more():
            return []
        if left <= 0:
            return []
        taken: list[Any] = []
        while left > 0 and len(taken) != max_records:
            records, size = self._partition_records.take(left if max_records is None else 0)
            if not records:
                self._update_position()
                self._partition_records = None
                break
            if isinstance(records[0], UnreadRecords):
                size = left  # the other partitions have their turn
            elif size > MOST_RECORD_BYTES:
                records = [_without_bytes(record, size) for record in records]
            taken += records
            left -= size
        else:
            self._update_position()
        _left.set(left)
        return taken


class PartitionRecords(fetcher.PartitionRecords):  # type: ignore[misc]
    """The records of one partition in a fetch; of a batch that cannot be read, one `UnreadRecords`."""

    _records: Any
    next_fetch_offset: int
    _damaged: ClassVar[dict[TopicPartition, tuple[int, int]]] = {}

    def __init__(self, tp: TopicPartition, batches: FetchedBatches, *arguments: Any) -> None:
        super().__init__(tp, batches, *arguments)
        self._records_iterator = None  # not started, it would hold what was fetched until the garbage collector runs
        self._batches = batches
        self._room = 0
        self._parts = self._unpack_parts()

    def __next__(self) -> Any:
        """Return one record, as aiokafka takes them where nothing is bounded."""
        self._room = 0
        ((record,), _) = next(self._parts)
        return record

    def take(self, room: int) -> tuple[Sequence[Any], int]:
        """Return the next records, and about their size: a batch if it fits into `room` bytes, or one; at last none."""
        self._room = room
        return next(self._parts, ((), 0))

    def close(self) -> None:
        """Return no more records, and hold nothing that was fetched in a cycle."""
        self._parts.close()

    def _unpack_parts(self) -> Generator[tuple[Sequence[Any], int]]:
        while self._batches.has_next():
            try:
                batch = self._batches.next_batch()
                first = self.next_fetch_offset
                whole = records_at_once(self._tp, batch, self._batches.current, first, self._room)
                if whole is None:
                    yield from self._one_by_one(batch)
                    continue
                self.next_fetch_offset = batch.next_offset
                if whole[0]:
                    yield whole
            except (MemoryError, OSError):
                raise  # nothing is wrong with the batch: the process ends, and reads it again
            except Exception as error:  # noqa: BLE001 - whatever it is, it would be raised at each fetch for ever
                # What follows is fetched again: what this batch would have said about transactions is unknown.
                if not self._is_damaged() or self._was_fetched_often(error):
                    yield (self._unread(error),), 0
                return

    def _one_by_one(self, batch: Any) -> Iterator[tuple[Sequence[Any], int]]:
        """Yield the records of one batch, whatever the names of their headers."""
        try:
            yield from self._by_aiokafka(batch)
        except UnicodeDecodeError:
            yield from self._by_aiokafka(self._batches.lenient())

    def _by_aiokafka(self, batch: Any) -> Iterator[tuple[Sequence[Any], int]]:
        self._records = SingleBatch(batch)
        for record in super()._unpack_records():
            yield (record,), _size(record)

    def _consumer_record(self, tp: TopicPartition, record: Any) -> FetchedRecord:
        return FetchedRecord(
            *(tp.topic, tp.partition, record.offset, record.timestamp, record.timestamp_type),
            *(record.key, record.value, tuple(record.headers)),
        )

    def _is_damaged(self) -> bool:
        """Return whether the current batch is not as its producer sent it."""
        try:
            return not batch_of(self._batches.current, 0).validate_crc()
        except (CorruptRecordException, struct.error, AssertionError):
            return True

    def _was_fetched_often(self, error: Exception) -> bool:
        offset, times = self._damaged.get(self._tp, (-1, 0))
        times = times + 1 if offset == self.next_fetch_offset else 1
        self._damaged[self._tp] = self.next_fetch_offset, times
        log.warning(
            "damaged_batch_fetched",
            topic=self._tp.topic,
            partition=self._tp.partition,
            offset=self.next_fetch_offset,
            times=times,
            error=type(error).__name__,
        )
        return times >= _DAMAGED_FETCHES

    def _unread(self, error: Exception) -> UnreadRecords:
        first, last, timestamp = _span(self._batches.current, damaged=self._is_damaged())
        first = max(first, self.next_fetch_offset)  # what comes before is delivered
        last = max(first, last)
        self.next_fetch_offset = last + 1
        reason, detail = _why(error)
        of = f"offset {first}" if first == last else f"offsets {first} to {last}"
        why = InvalidEvent(reason, f"the batch of {of} cannot be read: {detail}")
        size = len(self._batches.current)
        return UnreadRecords(self._tp.topic, self._tp.partition, first, last, timestamp, why, size)


def _span(batch: memoryview, *, damaged: bool) -> tuple[int, int, int]:
    """Return the first offset (0 if unknown), the last one, and the latest timestamp (0 if unknown)."""
    (base,) = _BASE.unpack_from(batch)
    if len(batch) < HEADER_BYTES or batch[_MAGIC_AT] < LATEST_FORMAT:
        return 0, base, 0  # the offset of a compressed message set is that of its last message
    (delta,), (count,), (timestamp,) = (each.unpack_from(batch) for each in (_LAST_DELTA, _COUNT, _MAX_TIMESTAMP))
    if damaged:
        return base, base + max(0, min(delta, count - 1, _MOST_DAMAGED_OFFSETS)), 0
    return base, base + max(0, delta), timestamp


def _why(error: Exception) -> tuple[Reason, str]:
    match error:
        case UnreadableBatch():
            return error.reason, error.detail
        case CorruptRecordException():
            return Reason.UNREADABLE_BATCH, str(error)
        case _:
            return Reason.UNREADABLE_BATCH, f"its records are corrupt ({type(error).__name__})"


def _size(record: FetchedRecord) -> int:
    """Return about how many bytes a record takes in memory."""
    size = OBJECT_BYTES + len(record.key or b"") + len(record.value or b"")
    for name, value in record.headers:
        size += HEADER_OBJECT_BYTES + len(name) + len(value or b"")
    return size


def _without_bytes(record: FetchedRecord, size: int) -> UnreadRecords:
    detail = f"the record has {size} bytes, and cannot be kept: the limit is {MOST_RECORD_BYTES}"
    return UnreadRecords(
        *(record.topic, record.partition, record.offset, record.offset, record.timestamp),
        why=InvalidEvent(Reason.TOO_LARGE, detail),
        size=len(record.value or b""),
        timestamp_type=record.timestamp_type,
    )
