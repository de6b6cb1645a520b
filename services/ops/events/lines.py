"""Reading the lines of a file or of standard input, of any size, in bounded memory."""

import asyncio
import os
import stat
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from services.ops.errors import CommandError
from shared.contract.topics import MAX_EVENT_BYTES

KEPT_BYTES = MAX_EVENT_BYTES + 1
"""A longer line is cut off here: enough to see that it is too long."""

_CHUNK_BYTES = 512 * 1024
_HEAD_BYTES = 8 * 1024


@dataclass(frozen=True, slots=True)
class Line:
    r"""A line without its end (`\n` or `\r\n`); `text` has at most `KEPT_BYTES` of its `size` bytes."""

    number: int
    text: bytes
    size: int

    @property
    def blank(self) -> bool:
        return not self.text.strip()


@dataclass(frozen=True, slots=True)
class Source:
    """An open file; `size` in bytes, None where it is unknown."""

    name: str
    descriptor: int
    size: int | None


@contextmanager
def opened(path: str) -> Iterator[Source]:
    """Open a file, or standard input for `-`, while the context lasts.

    Raises:
        CommandError: it cannot be opened.
    """
    if path == "-":
        if sys.stdin is None:
            raise CommandError("standard input is closed; name a file, or pass one with <")
        yield Source("standard input", sys.stdin.fileno(), None)
        return
    try:
        file = Path(path).open("rb", buffering=0)  # noqa: SIM115 - closed below
    except (OSError, ValueError) as error:
        raise CommandError(f"cannot read {path}: {getattr(error, 'strerror', error)}") from error
    with file:
        status = os.fstat(file.fileno())
        yield Source(path, file.fileno(), status.st_size if stat.S_ISREG(status.st_mode) else None)


async def chunks(source: Source) -> AsyncIterator[bytes]:
    """Yield the bytes, as many at a time as can be read at once.

    Raises:
        CommandError: the source cannot be read, or is not text.
    """
    first = True
    while chunk := await _chunk(source):
        # JSON has no such byte; archives, images and UTF-16 have, and would be refused line by line.
        if first and b"\0" in chunk[:_HEAD_BYTES]:
            raise CommandError(f"{source.name} is not text; JSON Lines in UTF-8 are expected")
        first = False
        yield chunk


async def lines_of(parts: AsyncIterator[bytes]) -> AsyncIterator[tuple[int, list[Line]]]:
    """Yield the lines in these parts of a file, part by part, with the number of bytes so far."""
    done = number = cut = 0
    rest = b""
    async for chunk in parts:
        done += len(chunk)
        *ended, rest = (rest + chunk).split(b"\n")
        lines = []
        for text in ended:
            number += 1
            lines.append(_line(number, text, cut))
            cut = 0
        cut += max(len(rest) - KEPT_BYTES, 0)
        rest = rest[:KEPT_BYTES]
        yield done, lines
    if rest:
        yield done, [_line(number + 1, rest, cut)]


def _line(number: int, text: bytes, cut: int) -> Line:
    text = text.removesuffix(b"\r")
    return Line(number, text[:KEPT_BYTES], len(text) + cut)


async def _chunk(source: Source) -> bytes:
    await _readable(source.descriptor)
    try:
        return os.read(source.descriptor, _CHUNK_BYTES)
    except OSError as error:
        raise CommandError(f"cannot read {source.name}: {error.strerror}") from error


async def _readable(descriptor: int) -> None:
    """Return when a read does not block.

    A blocking read in a thread would keep Ctrl-C waiting for the next line: asyncio waits for its threads.
    """
    loop = asyncio.get_running_loop()
    ready = asyncio.Event()
    try:
        loop.add_reader(descriptor, ready.set)
    except PermissionError:  # epoll does not support files that never block: regular files, /dev/null
        await asyncio.sleep(0)
        return
    try:
        await ready.wait()
    finally:
        loop.remove_reader(descriptor)
