"""Reading header names that are not UTF-8, which Kafka's protocol lets any client send.

aiokafka cannot decode such a name and would fail at each fetch for ever. The batch is parsed once more, by aiokafka's
parser in Python, with the invalid bytes escaped. Every other batch is parsed by the compiled parser.
"""

from typing import Any, SupportsIndex

from aiokafka.record.default_records import _DefaultRecordBatchPy
from aiokafka.record.util import decode_varint_py


class LenientBatch(_DefaultRecordBatchPy):  # type: ignore[misc]
    """A batch in the latest format, whatever the names of its headers."""

    _buffer: bytearray

    def _read_msg(self) -> Any:
        if not isinstance(self._buffer, _LenientBytes):
            self._buffer = _LenientBytes(self._buffer)
        # The compiled decode_varint, which is the default, reads past the end of the buffer.
        return super()._read_msg(decode_varint_py)


class _LenientBytes(bytearray):
    """Bytes that always decode, and so do their slices."""

    def __getitem__(self, index: SupportsIndex | slice) -> Any:
        part = super().__getitem__(index)
        return _LenientBytes(part) if isinstance(part, bytearray) else part

    def decode(self, encoding: str = "utf-8", errors: str = "strict") -> str:
        return super().decode(encoding, "backslashreplace" if errors == "strict" else errors)
