"""The form in which stores keep the events of a document of the log: a JSON array, compressed, and their lengths.

The bytes of each event are kept as they are, also those that are no JSON to a strict parser.
"""

import struct
from collections.abc import Sequence
from typing import NamedTuple

from shared.store.zstd_frame import compress_checked, decompress_sized

MAX_TEXT_BYTES = 16 * 1024 * 1024
"""More than any document has: 4 MB, or one event of 4 MB, of which an unreadable `time` is escaped (three times it)."""

_LENGTH_BYTES = 4


class Packed(NamedTuple):
    """The array as a zstd frame with a checksum, and the bytes of each event: 32 bits each, little endian."""

    text: bytes
    lengths: bytes


def pack(events: Sequence[bytes]) -> Packed:
    text = b"[" + b",".join(events) + b"]"
    return Packed(compress_checked(text), struct.pack(f"<{len(events)}I", *map(len, events)))


def unpack(packed: Packed) -> tuple[bytes, ...]:
    """Return the events.

    Raises:
        ValueError: no program packed them.
    """
    count, rest = divmod(len(packed.lengths), _LENGTH_BYTES)
    lengths = struct.unpack_from(f"<{count}I", packed.lengths)
    size = sum(lengths) + max(count, 1) + 1  # with commas and brackets
    if rest or size > MAX_TEXT_BYTES:
        raise ValueError("the events of a document have lengths that none has")
    text = decompress_sized(packed.text, size)
    events, start = [], 1
    for length in lengths:
        events.append(text[start : start + length])
        start += length + 1
    return tuple(events)
