"""Reading records whose headers have names that are not UTF-8, as Kafka's protocol lets any client send them.

aiokafka cannot decode such a name, fails at the whole fetch, and fetches the same again for ever: one record would hold
up its partition. Here such a fetch is read once more, by aiokafka's own parser in Python, with the bytes that are no
UTF-8 spelled out. Every other fetch is read as before, by the compiled parser.
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
    """What a fetch brought of one partition, which can be read again."""

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
            # From its beginning: what was delivered by now lies below `next_fetch_offset`, and is passed over.
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
    """Bytes that decode whatever they are; their parts do too."""

    def __getitem__(self, index: SupportsIndex | slice) -> Any:
        found = super().__getitem__(index)
        return _LenientBytes(found) if isinstance(found, bytearray) else found

    def decode(self, encoding: str = "utf-8", errors: str = "strict") -> str:
        return super().decode(encoding, "backslashreplace" if errors == "strict" else errors)
