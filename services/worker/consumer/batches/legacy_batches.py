"""Compressed message sets of the formats before 0.11, which brokers before 3.0 may still hold."""

import struct
from collections.abc import Iterator
from typing import Any

from aiokafka.record.legacy_records import LegacyRecordBatch, _LegacyRecordPy

from services.worker.consumer.batches.decompression import CompressedBatch, UnreadableBatch, check_count, decompressed
from shared.contract.rejection import Reason

LEAST_BYTES = 26
"""The size of the smallest message."""

_OFFSET_AND_LENGTH = struct.Struct(">qi")
_SIZE = struct.Struct(">i")
_TIMESTAMP = struct.Struct(">18xq")
_MAGIC_AT = 16
_ATTRIBUTES_AT = 17
_KEY_AT = (18, 26)
_CODEC = 0x07
_LOG_APPEND_TIME = 0x08


class CompressedMessages(CompressedBatch):
    """A message whose value is a compressed message set; aiokafka would make a list of all that are in it."""

    def __iter__(self) -> Iterator[Any]:
        """Yield the messages, with absolute offsets.

        Raises:
            UnreadableBatch: it is over a limit, or cannot be decompressed.
            struct.error: it is corrupt.
        """
        magic, attributes = self._raw[_MAGIC_AT], self._raw[_ATTRIBUTES_AT]
        whole = decompressed(attributes & _CODEC, _value(self._raw, _KEY_AT[magic]), self._most_bytes)
        last, count = 0, 0
        for offset, _, _ in _spans(whole):
            last, count = offset, count + 1
        check_count(count, self._most_bytes)
        # Since magic 1 the offsets count from the first message, and the wrapper has that of the last.
        (wrapper, _) = _OFFSET_AND_LENGTH.unpack_from(self._raw)
        base = wrapper - last if magic else 0
        appended = _TIMESTAMP.unpack_from(self._raw)[0] if magic and attributes & _LOG_APPEND_TIME else None
        for offset, start, end in _spans(whole):
            (message,) = LegacyRecordBatch(whole[start:end], whole[start + _MAGIC_AT])
            yield _LegacyRecordPy(
                base + offset,
                message.timestamp if appended is None else appended,
                message.timestamp_type if appended is None else 1,
                message.key,
                message.value,
                message.checksum,
            )


def _value(raw: memoryview, position: int) -> memoryview:
    (key_size,) = _SIZE.unpack_from(raw, position)
    position += _SIZE.size + max(0, key_size)
    (size,) = _SIZE.unpack_from(raw, position)
    position += _SIZE.size
    return raw[position : position + max(0, size)]


def _spans(whole: memoryview) -> Iterator[tuple[int, int, int]]:
    """Yield each message's offset, its start and its end."""
    start = 0
    while start < len(whole):
        offset, length = _OFFSET_AND_LENGTH.unpack_from(whole, start)
        end = start + _OFFSET_AND_LENGTH.size + length
        if end - start < LEAST_BYTES or end > len(whole) or whole[start + _MAGIC_AT] > 1:
            raise UnreadableBatch(Reason.UNREADABLE_BATCH, "it has a message of a wrong length or format")
        if whole[start + _ATTRIBUTES_AT] & _CODEC:
            raise UnreadableBatch(Reason.UNREADABLE_BATCH, "it has a compressed message within a compressed one")
        yield offset, start, end
        start = end
