"""The batches of one fetch, in place of aiokafka's `MemoryRecords`: compressed ones are decompressed within limits."""

import struct
from collections.abc import Iterator
from typing import Any

from aiokafka.errors import CorruptRecordException
from aiokafka.record.default_records import DefaultRecordBatch
from aiokafka.record.legacy_records import LegacyRecordBatch
from aiokafka.record.util import decode_varint

from services.worker.consumer.batches.decompression import CompressedBatch, UnreadableBatch, check_count, decompressed
from services.worker.consumer.batches.legacy_batches import LEAST_BYTES, CompressedMessages
from services.worker.consumer.batches.lenient_headers import LenientBatch
from shared.contract.rejection import Reason

LATEST_FORMAT = 2
HEADER_BYTES = 61
"""The size of the header of a batch in the latest format."""

_LENGTH = struct.Struct(">8xi")
_COUNT = struct.Struct(">57xi")
_LENGTH_ENDS_AT = 12
_MAGIC_AT = 16
_ATTRIBUTES_AT = 22
_LEGACY_ATTRIBUTES_AT = 17
_CODEC = 0x07
# A header costs an object of 100 bytes, and the smallest has 3: a smaller record cannot cost much.
_LARGE_RECORD = 1024 * 1024
_MOST_HEADERS = 10_000


class FetchedBatches:
    """What one fetch returned of a partition; `current` is the batch that was last returned, as bytes."""

    def __init__(self, raw: bytes, most_bytes: int) -> None:
        self._raw = memoryview(raw)
        self._most_bytes = most_bytes
        self._next = 0
        self._end = self._end_of(0)
        self.current = self._raw[:0]

    def size_in_bytes(self) -> int:
        return len(self._raw)

    def has_next(self) -> bool:
        return self._end <= len(self._raw)

    def next_batch(self) -> Any:
        """Return the next batch, None if there is none.

        Raises:
            CorruptRecordException: it is too short to be one.
        """
        if not self.has_next():
            return None
        self.current = self._raw[self._next : self._end]
        self._next, self._end = self._end, self._end_of(self._end)
        return batch_of(self.current, self._most_bytes)

    def lenient(self) -> Any:
        """Return the current batch again, to be read whatever the names of its headers."""
        return batch_of(self.current, self._most_bytes, lenient=True)

    def _end_of(self, start: int) -> int:
        """Return where the batch ends that starts here: past the end of all if it is not complete."""
        if len(self._raw) - start < _LENGTH_ENDS_AT:
            return len(self._raw) + 1
        (length,) = _LENGTH.unpack_from(self._raw, start)
        return int(start + _LENGTH_ENDS_AT + max(0, length))


class SingleBatch:
    """A batch alone, for aiokafka's loop over batches."""

    def __init__(self, batch: Any) -> None:
        self._batch = batch

    def has_next(self) -> bool:
        return self._batch is not None

    def next_batch(self) -> Any:
        batch, self._batch = self._batch, None
        return batch


def batch_of(raw: memoryview, most_bytes: int, *, lenient: bool = False) -> Any:
    """Return a batch as aiokafka's fetcher needs it; it is decompressed when it is iterated over."""
    magic = raw[_MAGIC_AT] if len(raw) > _MAGIC_AT else 0
    if len(raw) < (HEADER_BYTES if magic >= LATEST_FORMAT else LEAST_BYTES):
        raise CorruptRecordException("the batch is shorter than its header")
    if magic < LATEST_FORMAT:
        batch = LegacyRecordBatch(raw, magic)
        return CompressedMessages(batch, raw, most_bytes) if raw[_LEGACY_ATTRIBUTES_AT] & _CODEC else batch
    batch = LenientBatch(raw) if lenient else DefaultRecordBatch(raw)
    return CompressedRecords(batch, raw, most_bytes) if raw[_ATTRIBUTES_AT] & _CODEC else batch


class CompressedRecords(CompressedBatch):
    """A compressed batch of the latest format: its header is that of `batch`, of which it has the class."""

    _whole: memoryview | None = None
    _unreadable: tuple[Reason, str] | None = None

    def __iter__(self) -> Iterator[Any]:
        """Return the records.

        Raises:
            UnreadableBatch: it is over a limit, or cannot be decompressed.
        """
        return iter(type(self._batch)(self.decompressed()))

    def decompressed(self) -> memoryview:
        """Return the batch as if it had come uncompressed; it is decompressed once, also where that fails.

        Raises:
            UnreadableBatch: it is over a limit, or cannot be decompressed.
        """
        if self._unreadable is not None:
            raise UnreadableBatch(*self._unreadable)
        if self._whole is None:
            try:
                self._whole = self._decompressed()
            except UnreadableBatch as error:
                self._unreadable = error.reason, error.detail  # not the error: its traceback holds this batch
                raise
        return self._whole

    def _decompressed(self) -> memoryview:
        (count,) = _COUNT.unpack_from(self._raw)
        check_count(count, self._most_bytes)
        header = bytearray(self._raw[:HEADER_BYTES])
        codec = header[_ATTRIBUTES_AT] & _CODEC
        header[_ATTRIBUTES_AT] &= ~_CODEC
        whole = decompressed(codec, self._raw[HEADER_BYTES:], self._most_bytes, bytes(header))
        if len(whole) > _LARGE_RECORD:
            _check_headers(whole, count)
        return whole


def _check_headers(whole: memoryview, count: int) -> None:
    """Raise UnreadableBatch if a large record has too many headers; what is corrupt is left to the parser."""
    position = HEADER_BYTES
    try:
        for _ in range(count):
            length, position = decode_varint(whole, position)
            if length > _LARGE_RECORD and (headers := _headers(whole, position)) > _MOST_HEADERS:
                raise UnreadableBatch(
                    Reason.BATCH_TOO_LARGE,
                    f"it has a record with {headers} headers, the limit is {_MOST_HEADERS} for a record of this size",
                )
            position += max(0, length)
            if position >= len(whole):
                return
    except (IndexError, ValueError, OverflowError):
        return


def _headers(whole: memoryview, position: int) -> int:
    """Return how many headers the record has that starts here, behind its length."""
    for _ in ("attributes", "timestamp", "offset"):
        _, position = decode_varint(whole, position)
    for _ in ("key", "value"):
        length, position = decode_varint(whole, position)
        position += max(0, length)
        if position >= len(whole):
            raise IndexError
    return int(decode_varint(whole, position)[0])
