"""Text as a zstd frame (RFC 8878): a record as it is stored and may be sent (RFC 9659), the events of the log.

Each frame states the size of its content, and has neither a dictionary nor a window beyond 8 MB. The log's have a
checksum, records' have none: `wrapped` could not make one without the content.
"""

import threading
from typing import NamedTuple

from zstandard import (
    CONTENTSIZE_UNKNOWN,
    ZstdCompressor,
    ZstdDecompressor,
    ZstdError,
    frame_content_size,
    frame_header_size,
    get_frame_parameters,
)

_LEVEL = 1
_MAGIC = b"\x28\xb5\x2f\xfd"
_SINGLE_SEGMENT = 0x20
_MAX_WINDOW_BYTES = 8 * 1024 * 1024
_LAST, _RLE, _RESERVED = 1, 1, 3


class _Zstd(threading.local):
    """None is safe to be used by two threads at once."""

    def __init__(self) -> None:
        self.compress = ZstdCompressor(level=_LEVEL).compress
        self.compress_checked = ZstdCompressor(level=_LEVEL, write_checksum=True).compress
        self.decompress = ZstdDecompressor().decompress


_ZSTD = _Zstd()


class Frame(NamedTuple):
    """A frame; `window` is its window descriptor, None if its window is its content.

    `first_block` and `last_block` are where these blocks' headers begin.
    """

    data: bytes
    content_bytes: int
    window: int | None
    first_block: int
    last_block: int


def compress(content: bytes) -> bytes:
    return _ZSTD.compress(content)


def compress_checked(content: bytes) -> bytes:
    """Return a frame with a checksum of its content, which is checked when it is decompressed."""
    return _ZSTD.compress_checked(content)


def decompress(frame: Frame) -> bytes:
    """Return the content.

    Raises:
        ValueError: a block is damaged.
    """
    return decompress_sized(frame.data, frame.content_bytes)


def decompress_sized(data: bytes, size: int) -> bytes:
    """Return the content of a frame that holds so many bytes; what is allocated for it is checked first.

    Raises:
        ValueError: it is no frame, is damaged, or holds another number of bytes.
    """
    try:
        if frame_content_size(data) == size:
            return _ZSTD.decompress(data, allow_extra_data=False)
    except ZstdError:
        pass
    raise ValueError("a damaged zstd frame")


def read_frame(data: bytes, most: int) -> Frame:
    """Return the frame that `compress` returned as `data`; its blocks are not decompressed.

    Raises:
        ValueError: it is no such frame, is not whole, or holds more than `most` bytes.
    """
    try:
        found, first = get_frame_parameters(data), frame_header_size(data)
    except ZstdError:
        raise ValueError("no zstd frame") from None
    if not data.startswith(_MAGIC) or found.has_checksum or found.dict_id or found.content_size == CONTENTSIZE_UNKNOWN:
        raise ValueError("no frame of this form")
    if found.content_size > most:
        raise ValueError("a frame that holds too much")
    window = None if data[4] & _SINGLE_SEGMENT else data[5]
    if window is not None and found.window_size > _MAX_WINDOW_BYTES:
        raise ValueError("a frame with too large a window")
    return Frame(data, found.content_size, window, first, _last_block(data, first))


def _last_block(data: bytes, start: int) -> int:
    """Return where the last block begins, which ends with the data."""
    while start + 3 <= len(data):
        header = int.from_bytes(data[start : start + 3], "little")
        kind = header >> 1 & 3
        end = start + 3 + (1 if kind == _RLE else header >> 3)
        if kind == _RESERVED:
            break
        if header & _LAST:
            if end == len(data):
                return start
            break
        start = end
    raise ValueError("a frame that is not whole")


def wrapped(prefix: bytes, frame: Frame, suffix: bytes) -> bytes:
    """Return the frame of `prefix`, the frame's content and `suffix`, without decompressing anything.

    One frame, not three, because not every client reads on after the first. Raw blocks before the others change
    nothing that these refer to: offsets count backwards, and tables and repeated offsets come from compressed blocks
    alone (RFC 8878, 3.1.1.3 and 3.1.1.5).
    """
    data, last = frame.data, frame.last_block
    size = (len(prefix) + frame.content_bytes + len(suffix)).to_bytes(4, "little")
    header = b"\xa0" if frame.window is None else bytes((0x80, frame.window))
    return b"".join(
        (
            _MAGIC,
            header,
            size,
            (len(prefix) << 3).to_bytes(3, "little"),
            prefix,
            data[frame.first_block : last],
            bytes((data[last] & ~_LAST,)),
            data[last + 1 :],
            (len(suffix) << 3 | _LAST).to_bytes(3, "little"),
            suffix,
        )
    )
