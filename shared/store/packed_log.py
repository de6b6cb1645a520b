"""The form in which stores keep the events of a document of the log: a JSON array, compressed, and their lengths.

The bytes of each event are kept as they are, also those that are no JSON to a strict parser.
"""

import struct
import threading
from collections.abc import Sequence
from typing import NamedTuple

from zstandard import ZstdCompressor, ZstdDecompressor, ZstdError, frame_content_size

MAX_TEXT_BYTES = 16 * 1024 * 1024
"""More than any document has: 4 MB, or a single event, which may be longer once its headers are in it."""

_LEVEL = 1
_LENGTH_BYTES = 4


class Packed(NamedTuple):
    """`text`: the array, compressed by zstd. `lengths`: the bytes of each event, 32 bits each, little endian."""

    text: bytes
    lengths: bytes


class _Zstd(threading.local):
    """Neither is safe to be used by two threads at once."""

    def __init__(self) -> None:
        self.compress = ZstdCompressor(level=_LEVEL).compress
        self.decompress = ZstdDecompressor().decompress


_ZSTD = _Zstd()


def pack(events: Sequence[bytes]) -> Packed:
    text = b"[" + b",".join(events) + b"]"
    return Packed(_ZSTD.compress(text), struct.pack(f"<{len(events)}I", *map(len, events)))


def unpack(packed: Packed) -> tuple[bytes, ...]:
    """Return the events.

    Raises:
        ValueError: no program packed them.
    """
    try:
        lengths = struct.unpack(f"<{len(packed.lengths) // _LENGTH_BYTES}I", packed.lengths)
        size = sum(lengths) + max(len(lengths), 1) + 1
        # The frame's own size is what is allocated for it.
        if size > MAX_TEXT_BYTES or frame_content_size(packed.text) != size:
            raise ValueError("the events of a document have other lengths than it says")
        text = _ZSTD.decompress(packed.text, allow_extra_data=False)
    except (struct.error, ZstdError) as error:
        raise ValueError("the events of a document are damaged") from error
    events, start = [], 1
    for length in lengths:
        events.append(text[start : start + length])
        start += length + 1
    return tuple(events)
