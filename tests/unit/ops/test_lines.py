"""Reading lines: however the data arrives, and however long a line is."""

import asyncio
import os
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.ops.errors import CommandError
from services.ops.events.lines import KEPT_BYTES, Line, Source, chunks, lines_of, opened


async def all_lines(source: Source) -> list[Line]:
    return [line async for _, lines in lines_of(chunks(source)) for line in lines]


async def piped(parts: Sequence[bytes]) -> list[Line]:
    """Return the lines of a pipe that the chunks are written into one by one, each when the one before is read."""
    reading, writing = os.pipe()
    batches = lines_of(chunks(Source("a pipe", reading, None)))
    found: list[Line] = []
    for part in parts:
        os.write(writing, part)
        found += (await anext(batches))[1]
    os.close(writing)
    found += [line async for _, lines in batches for line in lines]
    os.close(reading)
    return found


@given(st.lists(st.binary(min_size=1, max_size=4).map(lambda part: part.replace(b"\r", b"r").replace(b"\0", b"0"))))
def test_the_chunks_do_not_matter(chunks: list[bytes]) -> None:
    whole = b"".join(chunks)

    lines = asyncio.run(piped(chunks))

    assert [line.text for line in lines] == whole.split(b"\n")[: None if whole and whole[-1:] != b"\n" else -1]
    assert [line.number for line in lines] == list(range(1, len(lines) + 1))


async def test_a_last_line_without_an_end_counts() -> None:
    assert await piped([b"a\nb"]) == [Line(1, b"a", 1), Line(2, b"b", 1)]


async def test_a_line_may_end_as_on_windows() -> None:
    assert await piped([b"a\r", b"\nb\r\n"]) == [Line(1, b"a", 1), Line(2, b"b", 1)]


async def test_blank_lines_have_numbers() -> None:
    lines = await piped([b"a\n\n \t\r\nb\n"])

    assert [(line.number, line.blank) for line in lines] == [(1, False), (2, True), (3, True), (4, False)]


async def test_a_line_without_end_is_cut_off() -> None:
    (long, short) = await piped([*[b"x" * 50_000] * 100, b"\na\n"])

    assert (long.number, len(long.text), long.size) == (1, KEPT_BYTES, 5_000_000)
    assert short == Line(2, b"a", 1)


async def test_a_file_is_read_line_by_line(tmp_path: Path) -> None:
    file = tmp_path / "events.jsonl"
    file.write_bytes(b"a\nb\n")

    with opened(str(file)) as source:
        lines = await all_lines(source)

    assert source.size == 4
    assert [line.text for line in lines] == [b"a", b"b"]


async def test_the_lines_of_a_pipe_are_read_as_they_arrive() -> None:
    reading, writing = os.pipe()
    os.write(writing, b"a\n")

    batches = lines_of(chunks(Source("a pipe", reading, None)))
    first = await anext(batches)
    second = asyncio.ensure_future(anext(batches))
    await asyncio.sleep(0.01)
    waited = not second.done()
    os.write(writing, b"b")
    os.close(writing)

    assert first == (2, [Line(1, b"a", 1)])
    assert waited
    assert await second == (3, [])
    assert await anext(batches) == (3, [Line(2, b"b", 1)])
    os.close(reading)


@pytest.mark.parametrize("content", [b"\x1f\x8b\x08\0\0\0", "{}".encode("utf-16")])
async def test_a_file_that_is_not_text_is_refused_as_a_whole(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "junk"
    file.write_bytes(content)

    with opened(str(file)) as source, pytest.raises(CommandError, match="junk is not text"):
        await all_lines(source)


def test_a_file_that_cannot_be_opened_is_one_line(tmp_path: Path) -> None:
    for file, why in ((tmp_path / "none", "No such file"), (tmp_path, "Is a directory"), ("a\0b", "null byte")):
        with pytest.raises(CommandError, match=why), opened(str(file)):
            pass
