"""How events stand in a file: one a line, as `publish` takes them, or as other programs print JSON."""

import json
import re
from collections.abc import AsyncIterator, Iterator
from enum import Enum, auto

from services.ops.errors import CommandError
from services.ops.events.lines import KEPT_BYTES, Line, Source, chunks, lines_of

MOST_BYTES = 256 * 1024 * 1024
"""Of a file that is not JSON Lines: it is held in memory as a whole."""

_BLANK = b" \t\r\n"
_SPACE = re.compile(r"[ \t\r\n]*")
_BOM = "\ufeff"
_DECODER = json.JSONDecoder(parse_int=str)  # an integer of any length
_OPEN = (b"{", b"[", b",")
_BATCH = 1_000

Batches = AsyncIterator[tuple[int, list[Line]]]


class Layout(Enum):
    """How the events of a file are written."""

    LINES = auto()
    """JSON Lines: one event a line."""
    INDENTED = auto()
    """Each event over several lines."""
    ARRAY = auto()
    """One JSON array of events."""

    def hint(self, source: Source) -> str:
        """Return how to make JSON Lines of it."""
        what, query = ("is a JSON array", ".[]") if self is Layout.ARRAY else ("has events over several lines", ".")
        name = "FILE" if source.name == "standard input" else source.name
        return f"{what}; `publish` takes one event a line: jq -c '{query}' {name} | callfold publish -"


def layout_of(head: bytes) -> Layout | None:
    """Return the layout of a file that begins like this; None if more of it is needed to know."""
    start = head.removeprefix(_BOM.encode()).lstrip(_BLANK)
    if start.startswith(b"["):
        return Layout.ARRAY
    line, ended, _ = start.partition(b"\n")
    if not ended and len(line) < KEPT_BYTES:
        return None
    # A line of JSON Lines that was cut off hardly ends with one of these.
    return Layout.INDENTED if line.startswith(b"{") and line.rstrip().endswith(_OPEN) else Layout.LINES


async def opened_layout(source: Source) -> tuple[Layout, AsyncIterator[bytes]]:
    """Return the layout of a file, and all its bytes.

    Raises:
        CommandError: the source cannot be read, or is not text.
    """
    parts = chunks(source)
    head = b""
    layout = None
    async for part in parts:
        head += part
        if layout := layout_of(head):
            break
    return layout or Layout.LINES, _joined(head, parts)


async def read(source: Source) -> Batches:
    """Yield the lines of a file of JSON Lines, as many at a time as can be read at once, with the bytes read so far.

    Raises:
        CommandError: the source cannot be read, is not text, or has another layout.
    """
    layout, parts = await opened_layout(source)
    if layout is not Layout.LINES:
        raise CommandError(f"{source.name} {layout.hint(source)}")
    async for batch in lines_of(parts):
        yield batch


async def read_values(source: Source, parts: AsyncIterator[bytes]) -> Batches:
    """Yield the values of a file that is not JSON Lines as if each were a line, with the number of its first line.

    Raises:
        CommandError: the source cannot be read, or is larger than `MOST_BYTES`.
    """
    whole = bytearray()
    async for part in parts:
        whole += part
        if len(whole) > MOST_BYTES:
            raise CommandError(
                f"{source.name} is too large to be read as one JSON text: write one event a line (jq -c)"
            )
    batch: list[Line] = []
    for line in _values(whole.decode(errors="surrogateescape")):
        batch.append(line)
        if len(batch) == _BATCH:
            yield len(whole), batch
            batch = []
    yield len(whole), batch


def _values(text: str) -> Iterator[Line]:
    """Yield each value of an array, or of values one after another; what is no JSON ends it, as a value of its own."""
    start = _after(_SPACE, text, text.startswith(_BOM))
    line, counted = 1, 0
    for begin, end in _array(text, start) if text[start : start + 1] == "[" else _sequence(text, start):
        line, counted = line + text.count("\n", counted, begin), begin
        value = text[begin:end].encode(errors="surrogateescape")
        yield Line(line, value[:KEPT_BYTES], len(value))


def _sequence(text: str, at: int) -> Iterator[tuple[int, int]]:
    """Yield where each of the values one after another begins and ends."""
    while (at := _after(_SPACE, text, at)) < len(text):
        end = _end(text, at) or len(text)
        yield at, end
        at = end


def _array(text: str, start: int) -> Iterator[tuple[int, int]]:
    """Yield where each value of an array begins and ends, and each that follows it; at last, what is no JSON.

    If the array is cut off, that is its first bracket.
    """
    at = _after(_SPACE, text, start + 1)
    closed = text[at : at + 1] == "]"
    while not closed:
        if (end := _end(text, at)) is None:
            break
        yield at, end
        at = _after(_SPACE, text, end)
        closed = text[at : at + 1] == "]"
        if text[at : at + 1] != ",":
            break
        at = _after(_SPACE, text, at + 1)
    if closed:
        yield from _sequence(text, at + 1)
    else:
        yield (at, len(text)) if at < len(text) else (start, start + 1)


def _end(text: str, at: int) -> int | None:
    """Return where the value ends that begins there; None if it is no JSON."""
    try:
        return _DECODER.raw_decode(text, at)[1]
    except (ValueError, RecursionError):
        return None


def _after(pattern: re.Pattern[str], text: str, at: int) -> int:
    found = pattern.match(text, at)
    return found.end() if found else at


async def _joined(head: bytes, parts: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    if head:
        yield head
    async for part in parts:
        yield part
