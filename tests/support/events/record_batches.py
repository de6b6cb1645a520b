"""Batches of records as bytes, in Kafka's format: also those that no producer makes."""

import gzip
import struct
from collections.abc import Callable, Iterable
from io import BytesIO

import cramjam
from aiokafka.codec import lz4_encode, snappy_encode
from aiokafka.record.util import calc_crc32c, encode_varint

CODECS = {"gzip": 1, "snappy": 2, "lz4": 3, "zstd": 4}
COMPRESS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": lambda data: gzip.compress(data, 6, mtime=0),
    "snappy": lambda data: bytes(cramjam.snappy.compress_raw(data)),
    "xerial": snappy_encode,
    "lz4": lz4_encode,
    "zstd": lambda data: bytes(cramjam.zstd.compress(data)),
}
CREATED = 1_800_000_000_000
"""The timestamp of every record (Unix milliseconds)."""

TRANSACTIONAL, CONTROL = 0x10, 0x20
"""Attributes of a batch."""

_CRC_AT = 17


def varint(value: int) -> bytes:
    written = BytesIO()
    encode_varint(value, lambda byte: written.write(bytes((byte,))))
    return written.getvalue()


def record(
    delta: int, value: bytes | None = b"{}", key: bytes = b"k", headers: Iterable[tuple[bytes, bytes]] = ()
) -> bytes:
    """Return a record, `delta` behind the batch's first offset."""
    pairs = [varint(len(name)) + name + varint(len(content)) + content for name, content in headers]
    content = varint(-1) if value is None else varint(len(value)) + value
    body = b"".join((b"\0", b"\0", varint(delta), varint(len(key)), key, content, varint(len(pairs)), *pairs))
    return varint(len(body)) + body


def batch(
    payload: bytes,
    count: int,
    *,
    codec: str = "",
    base: int = 0,
    last_delta: int | None = None,
    attributes: int = 0,
    producer: int = -1,
) -> bytes:
    """Return a batch around records that are compressed already; `count` and `last_delta` need not be true."""
    last = count - 1 if last_delta is None else last_delta
    attributes |= 2 if codec == "xerial" else CODECS.get(codec, 0)
    checked = struct.pack(">hiqqqhii", attributes, last, CREATED, CREATED, producer, -1, -1, count) + payload
    body = struct.pack(">ibI", 0, 2, calc_crc32c(checked)) + checked
    return struct.pack(">qi", base, len(body)) + body


def compressed(codec: str, values: Iterable[bytes], *, base: int = 0) -> bytes:
    """Return a batch of these values as a producer makes it."""
    records = [record(delta, value) for delta, value in enumerate(values)]
    return batch(COMPRESS[codec](b"".join(records)), len(records), codec=codec, base=base)


def bomb(codec: str, megabytes: int) -> bytes:
    """Return a batch of records of 1 MB, each a frame of its own, which gzip and zstd allow: made in little memory."""
    frames = (COMPRESS[codec](record(delta, b" " * 2**20)) for delta in range(megabytes))
    return batch(b"".join(frames), megabytes, codec=codec)
