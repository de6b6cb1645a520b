"""Reading lines from a file or from standard input, of whatever size, in bounded memory."""

import asyncio
import os
import stat
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from services.ops.errors import CommandError
from shared.contract.topics import MAX_EVENT_BYTES

KEPT_BYTES = MAX_EVENT_BYTES + 1
"""Of a longer line only so much is kept: enough to see that it is too long."""

_CHUNK_BYTES = 256 * 1024
_HEAD_BYTES = 8 * 1024


@dataclass(frozen=True, slots=True)
class Line:
    r"""A line without its end (`\n` or `\r\n`); `text` is at most `KEPT_BYTES` of its `size` bytes."""

    number: int
    text: bytes
    size: int

    @property
    def blank(self) -> bool:
        """Whether there is nothing in it."""
        return not self.text or self.text.isspace()


class Lines:
    """Cuts what it is fed into lines."""

    def __init__(self) -> None:
        self._number = 0
        self._kept = bytearray()
        self._size = 0

    def feed(self, chunk: bytes) -> Iterator[Line]:
        """Yield the lines that end in this chunk."""
        *ended, rest = chunk.split(b"\n")
        for part in ended:
            self._take(part)
            yield self._line()
        self._take(rest)

    def finish(self) -> Iterator[Line]:
        """Yield the last line, if it had no end."""
        if self._size:
            yield self._line()

    def _take(self, part: bytes) -> None:
        self._size += len(part)
        self._kept += part[: KEPT_BYTES - len(self._kept)]

    def _line(self) -> Line:
        end = b"\r" if len(self._kept) == self._size else b""
        text = bytes(self._kept).removesuffix(end)
        self._number += 1
        line = Line(self._number, text, self._size - (len(self._kept) - len(text)))
        self._kept.clear()
        self._size = 0
        return line


@dataclass(frozen=True, slots=True)
class Source:
    """An open file; `size` in bytes is None where it is not known."""

    name: str
    descriptor: int
    size: int | None


@contextmanager
def opened(file: str) -> Iterator[Source]:
    """Open a file by its path, `-` for standard input, while the context lasts.

    Raises:
        CommandError: there is none, or it cannot be read.
    """
    if file == "-":
        if sys.stdin is None:
            raise CommandError("standard input is closed")
        yield Source("standard input", sys.stdin.fileno(), None)
        return
    try:
        descriptor = os.open(file, os.O_RDONLY)
    except (OSError, ValueError) as error:
        raise CommandError(f"{file} cannot be read: {getattr(error, 'strerror', error)}") from error
    try:
        found = os.fstat(descriptor)
        if stat.S_ISDIR(found.st_mode):
            raise CommandError(f"{file} is a folder, not a file")
        yield Source(file, descriptor, found.st_size if stat.S_ISREG(found.st_mode) else None)
    finally:
        os.close(descriptor)


async def read(source: Source) -> AsyncIterator[tuple[int, list[Line]]]:
    """Yield the lines, those of one chunk together, with the bytes read so far.

    Raises:
        CommandError: it cannot be read, or is surely no text.
    """
    lines, done = Lines(), 0
    while chunk := await _chunk(source):
        # JSON has no such byte; archives, images and UTF-16 do, and would else be refused line by line.
        if done == 0 and b"\0" in chunk[:_HEAD_BYTES]:
            raise CommandError(f"{source.name} is no text: JSON Lines in UTF-8 are needed")
        done += len(chunk)
        yield done, list(lines.feed(chunk))
    yield done, list(lines.finish())


async def _chunk(source: Source) -> bytes:
    await _readable(source.descriptor)
    try:
        return os.read(source.descriptor, _CHUNK_BYTES)
    except OSError as error:
        raise CommandError(f"{source.name} cannot be read: {error.strerror}") from error


async def _readable(descriptor: int) -> None:
    """Return when a read does not block: a slow pipe must not keep acknowledgements and Ctrl-C waiting."""
    loop = asyncio.get_running_loop()
    ready = asyncio.Event()
    try:
        loop.add_reader(descriptor, ready.set)
    except PermissionError:  # epoll's answer for what never blocks: a regular file, /dev/null
        await asyncio.sleep(0)
        return
    try:
        await ready.wait()
    finally:
        loop.remove_reader(descriptor)
