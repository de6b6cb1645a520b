"""Decompressing a producer's batch into memory of a bounded size.

aiokafka decompresses whatever comes: a batch of 1 MB can hold gigabytes.
"""

import struct
from collections.abc import Callable
from mmap import mmap
from threading import Lock
from typing import Any

import cramjam

from shared.contract.rejection import Reason

Buffer = bytes | memoryview

_GZIP, _SNAPPY, _LZ4, _ZSTD = 1, 2, 3, 4
_XERIAL = b"\x82SNAPPY\x00"
_XERIAL_HEADER_BYTES = 16
# aiokafka's compiled parser reads some bytes past the end before it looks.
_PADDING = bytes(32)
# Most batches fit. New memory costs as much as decompressing into it, so this is kept; what is larger is not.
_scratch = bytearray(4 * 1024 * 1024)
_scratch_in_use = Lock()
# A CloudEvent has more bytes.
_LEAST_RECORD_BYTES = 64


class UnreadableBatch(Exception):
    """A batch that cannot be read, or must not be."""

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail


class CompressedBatch:
    """A batch that is decompressed when it is iterated over; all else is as of `batch`, aiokafka's own."""

    def __init__(self, batch: Any, raw: memoryview, most_bytes: int) -> None:
        self._batch = batch
        self._raw = raw
        self._most_bytes = most_bytes

    def __getattr__(self, name: str) -> Any:
        return getattr(self._batch, name)


def decompressed(codec: int, data: Buffer, most_bytes: int, prefix: bytes = b"") -> memoryview:
    """Return `prefix` and behind it the decompressed data, of at most `most_bytes`; `codec` is Kafka's number.

    Raises:
        UnreadableBatch: the data is larger, or is not what the codec writes.
    """
    into = _CODECS.get(codec)
    if into is None:
        raise UnreadableBatch(Reason.UNREADABLE_BATCH, f"its compression has the unknown number {codec}")
    try:
        if most_bytes > len(_scratch) and (found := _in_scratch(into, data, prefix)) is not None:
            return found
        start, end = len(prefix), len(prefix) + most_bytes
        memory = memoryview(mmap(-1, end + len(_PADDING)))  # only what is written to becomes real memory
        memory[:start] = prefix
        return memory[: start + into(data, memory[start:end])]
    except cramjam.DecompressionError as error:
        if "failed to write whole buffer" in str(error):
            raise _too_large(most_bytes) from None
        raise UnreadableBatch(Reason.UNREADABLE_BATCH, f"it cannot be decompressed: {error}") from None


def _in_scratch(into: Callable[[Buffer, memoryview], int], data: Buffer, prefix: bytes) -> memoryview | None:
    """Return the prefix and the decompressed data; None if it is larger than usual, or broken."""
    with _scratch_in_use, memoryview(_scratch) as scratch:
        try:
            size = into(data, scratch)
        except (cramjam.DecompressionError, UnreadableBatch):
            return None
        return memoryview(b"".join((prefix, scratch[:size], _PADDING)))[: len(prefix) + size]


def _snappy_into(data: Buffer, memory: memoryview) -> int:
    """Decompress one block, or the blocks of xerial's stream, each behind its length."""
    if bytes(data[: len(_XERIAL)]) != _XERIAL:
        return _snappy_block_into(data, memory)
    size, start = 0, _XERIAL_HEADER_BYTES
    while start < len(data):
        if start + 4 > len(data):
            raise cramjam.DecompressionError("a block of snappy is cut off")
        (length,) = struct.unpack_from(">i", data, start)
        start += 4
        if not 0 < length <= len(data) - start:
            raise cramjam.DecompressionError("a block of snappy has a wrong length")
        size += _snappy_block_into(data[start : start + length], memory[size:])
        start += length
    return size


def _snappy_block_into(block: Buffer, memory: memoryview) -> int:
    if cramjam.snappy.decompress_raw_len(block) > len(memory):
        raise cramjam.DecompressionError("failed to write whole buffer")  # as the other codecs do
    return int(cramjam.snappy.decompress_raw_into(block, memory))


def check_count(count: int, most_bytes: int) -> None:
    """Raise UnreadableBatch if a batch has more records than would fit if they were events."""
    most = most_bytes // _LEAST_RECORD_BYTES
    if count > most:
        raise UnreadableBatch(Reason.BATCH_TOO_LARGE, f"it has {count} records, the limit is {most}")


def _too_large(most_bytes: int) -> UnreadableBatch:
    return UnreadableBatch(
        Reason.BATCH_TOO_LARGE,
        f"it has more than {most_bytes // 1024**2} MB when it is decompressed (CALLFOLD_RECORD_BATCH_MB)",
    )


_CODECS: dict[int, Callable[[Buffer, memoryview], int]] = {
    _GZIP: cramjam.gzip.decompress_into,
    _SNAPPY: _snappy_into,
    _LZ4: cramjam.lz4.decompress_into,
    _ZSTD: cramjam.zstd.decompress_into,
}
