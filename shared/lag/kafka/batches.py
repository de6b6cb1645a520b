"""The first record of a partition in what a fetch returned, from the headers of the batches alone where possible.

PURE. The format is that of https://kafka.apache.org/documentation/#recordbatch.
"""

import struct
from collections.abc import Sequence
from dataclasses import dataclass

from aiokafka.errors import KafkaError
from aiokafka.record.memory_records import MemoryRecords

_LENGTH = struct.Struct(">qi")
_HEADER = struct.Struct(">qiibIhiqqqhii")
_MAGIC_AT = 16
_FIRST_MAGIC = 2
_APPEND_TIME = 0x08
_TRANSACTIONAL = 0x10
_CONTROL = 0x20

_MOST_READ_BYTES = 128 * 1024
"""Records of a larger batch are not decompressed, for a timestamp."""


@dataclass(frozen=True, slots=True)
class Found:
    """The first record from the offset `since` on: its `offset` and its timestamp (Unix ms), None if it has none.

    The records up to `until` have the same timestamp. `broker_clock` is whether it is the broker's, not a producer's.
    """

    since: int
    offset: int
    timestamp: int | None
    until: int
    broker_clock: bool = False


@dataclass(frozen=True, slots=True)
class Nothing:
    """No record from the offset `since` on and before `until`; they are equal where nothing could be read."""

    since: int
    until: int


@dataclass(frozen=True, slots=True)
class _Batch:
    """A batch of records, as its header has it; times in Unix ms."""

    first: int
    last: int
    attributes: int
    first_time: int
    greatest_time: int
    producer: int
    records: int

    @property
    def complete(self) -> bool:
        """Whether compaction removed none of its records."""
        return self.records == self.last - self.first + 1


def first_record(data: bytes, since: int, end: int, aborted: Sequence[tuple[int, int]]) -> Found | Nothing:
    """Return the first record at or after `since` and before `end`; marks of transactions, and aborted, are none.

    `data` is what a fetch from `since` returned, whose last batch may be cut off. `aborted` are the transactions that
    the response names as aborted: producer id and first offset.
    """
    left, position, at = sorted(aborted, key=lambda each: each[1]), since, 0
    while position < end and at + _MAGIC_AT < len(data):
        if data[at + _MAGIC_AT] < _FIRST_MAGIC:
            return _read(data[at:], position, end)
        if at + _HEADER.size > len(data):
            break
        batch, size = _header(data, at), _LENGTH.unpack_from(data, at)[1] + _LENGTH.size
        if batch.last >= position and batch.records and not _skipped(batch, left):
            return _first_of(batch, data[at : at + size], position, end)
        position, at = max(position, batch.last + 1), at + size
    return Nothing(since, min(position, end))


def _header(data: bytes, at: int) -> _Batch:
    first, _, _, _, _, attributes, delta, first_time, greatest, producer, _, _, count = _HEADER.unpack_from(data, at)
    return _Batch(first, first + delta, attributes, first_time, greatest, producer, count)


def _skipped(batch: _Batch, aborted: list[tuple[int, int]]) -> bool:
    """Return whether a reader of committed records skips a batch; forget the transaction that it ends."""
    transaction = next((each for each in aborted if each[0] == batch.producer and each[1] <= batch.last), None)
    if batch.attributes & _CONTROL:
        if transaction:
            aborted.remove(transaction)
        return True
    return bool(batch.attributes & _TRANSACTIONAL and transaction)


def _first_of(batch: _Batch, data: bytes, position: int, end: int) -> Found | Nothing:
    """Return the first record of a batch that has one."""
    offset = max(batch.first, position)
    if offset >= end:
        return Nothing(position, end)
    if batch.attributes & _APPEND_TIME and batch.complete:
        return Found(position, offset, batch.greatest_time, batch.last, broker_clock=True)
    whole = len(data) >= _LENGTH.unpack_from(data)[1] + _LENGTH.size
    if (offset == batch.first and batch.complete) or len(data) > _MOST_READ_BYTES:
        # Of a large batch that begins earlier, the time of its first record: the producer sent both together.
        return Found(position, offset, batch.first_time, offset)
    return _read(data, position, end) if whole else Nothing(position, position)


def _read(data: bytes, position: int, end: int) -> Found | Nothing:
    """Return the first record of batches that have to be read as a whole."""
    try:
        records = MemoryRecords(data)
        while (batch := records.next_batch()) is not None:
            for record in batch:
                if record.offset >= position:
                    return _found(record.offset, record.timestamp, record.timestamp_type, position, end)
    except (KafkaError, ValueError, OSError, EOFError):  # cut off, or compressed in a way that cannot be read
        return Found(position, position, None, position)
    return Nothing(position, position)


def _found(offset: int, timestamp: int | None, kind: int | None, since: int, end: int) -> Found | Nothing:
    if offset >= end:
        return Nothing(since, end)
    return Found(since, offset, timestamp, offset, broker_clock=kind == 1)
