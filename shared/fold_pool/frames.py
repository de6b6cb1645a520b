"""What a program and a process of its pool say to each other: messages with a large part that is not copied about.

A frame is two lengths, the pickled message, and the bytes that go with it. Both ends are processes of one program, and
nobody else has the pipe: that is what makes pickle safe here.
"""

import pickle
import struct
from asyncio import StreamReader
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO, Literal

from shared.fold.prices import PriceBook
from shared.store.mongo.factory import StoreFactory

_LENGTHS = struct.Struct(">QQ")

_PART_BYTES = 256 * 1024

Frame = tuple[Any, Sequence[bytes]]
"""A message, and the bytes that go with it, in parts."""


@dataclass(frozen=True, slots=True)
class Setup:
    """What a process is told first."""

    open_store: StoreFactory
    book: PriceBook
    memory_mb: int
    log_level: str
    log_format: Literal["json", "console"]


@dataclass(frozen=True, slots=True)
class Ready:
    """What a process says first, and whenever it is asked: it can fold."""


def pack(message: object, attached: Sequence[bytes] = ()) -> Sequence[bytes]:
    """Return the frame, in parts."""
    pickled = pickle.dumps(message)
    return (_LENGTHS.pack(len(pickled), sum(map(len, attached))), pickled, *attached)


def read(pipe: BinaryIO) -> Frame | None:
    """Return the next frame, None at the end of the pipe."""
    lengths = pipe.read(_LENGTHS.size)
    if len(lengths) < _LENGTHS.size:
        return None
    size, more = _LENGTHS.unpack(lengths)
    pickled, attached = pipe.read(size), pipe.read(more)
    cut_off = len(pickled) + len(attached) < size + more
    return None if cut_off else (pickle.loads(pickled), (attached,))  # noqa: S301 - see above


async def receive(stream: StreamReader) -> Frame:
    """Return the next frame.

    Raises:
        asyncio.IncompleteReadError: the other end is gone.
    """
    size, more = _LENGTHS.unpack(await stream.readexactly(_LENGTHS.size))
    message = pickle.loads(await stream.readexactly(size))  # noqa: S301 - see above
    parts = []
    while more:
        parts.append(await stream.readexactly(min(more, _PART_BYTES)))
        more -= len(parts[-1])
    return message, parts
