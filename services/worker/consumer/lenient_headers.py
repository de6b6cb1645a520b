"""Reading records with header names that are not UTF-8, which Kafka's protocol lets any client send.

aiokafka cannot decode such a name, fails at the whole fetch, and fetches the same again for ever: one record would
block its partition. Here such a fetch is parsed once more, by aiokafka's parser in Python, with the invalid bytes
escaped. Every other fetch is parsed by the compiled parser.
"""

from collections.abc import Iterator, Sequence
from typing import Any, SupportsIndex

from aiokafka.consumer import fetcher
from aiokafka.record.default_records import _DefaultRecordBatchPy
from aiokafka.record.legacy_records import LegacyRecordBatch
from aiokafka.record.memory_records import MemoryRecords, _MemoryRecordsPy

_LATEST_FORMAT = 2


def install() -> None:
    """Make aiokafka's consumers of this process read such headers."""
    fetcher.MemoryRecords = _Fetched
    fetcher.PartitionRecords = _PartitionRecords


class _Fetched:
    """The records of one partition in a fetch, which can be parsed again."""

    def __init__(self, raw: bytes) -> None:
        self.raw = raw
        self._records = MemoryRecords(raw)
        self.has_next = self._records.has_next
        self.next_batch = self._records.next_batch
        self.size_in_bytes = self._records.size_in_bytes


class _PartitionRecords(fetcher.PartitionRecords):  # type: ignore[misc]
    _records: Any

    def __init__(self, tp: Any, records: _Fetched, aborted: Sequence[Any] | None, *rest: Any) -> None:
        self._aborted = aborted
        super().__init__(tp, records, aborted, *rest)

    def _unpack_records(self) -> Iterator[Any]:
        try:
            yield from super()._unpack_records()
        except UnicodeDecodeError:
            # From its beginning: what is delivered lies below `next_fetch_offset`, and is skipped.
            self._records = _LenientRecords(self._records.raw)
            self._aborted_transactions = sorted(self._aborted or [], key=lambda transaction: transaction[1])
            self._aborted_producers: set[int] = set()
            yield from super()._unpack_records()


class _LenientRecords(_MemoryRecordsPy):  # type: ignore[misc]
    def next_batch(self) -> Any:
        batch = self._next_slice
        if batch is None:
            return None
        self._cache_next()
        magic = batch[self.MAGIC_OFFSET]
        return _LenientBatch(batch) if magic >= _LATEST_FORMAT else LegacyRecordBatch(batch, magic)


class _LenientBatch(_DefaultRecordBatchPy):  # type: ignore[misc]
    _buffer: bytearray

    def _read_msg(self, *arguments: Any) -> Any:
        if not isinstance(self._buffer, _LenientBytes):  # it is replaced when it is decompressed
            self._buffer = _LenientBytes(self._buffer)
        return super()._read_msg(*arguments)


class _LenientBytes(bytearray):
    """Bytes that always decode, and so do their slices."""

    def __getitem__(self, index: SupportsIndex | slice) -> Any:
        part = super().__getitem__(index)
        return _LenientBytes(part) if isinstance(part, bytearray) else part

    def decode(self, encoding: str = "utf-8", errors: str = "strict") -> str:
        return super().decode(encoding, "backslashreplace" if errors == "strict" else errors)
