"""Cutting a file into lines: whatever the chunks are, and however long a line is."""

import asyncio
import os
from collections.abc import Iterable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.ops.errors import CommandError
from services.ops.events.lines import KEPT_BYTES, Line, Lines, Source, opened, read


def cut(chunks: Iterable[bytes]) -> list[Line]:
    lines = Lines()
    return [line for chunk in chunks for line in lines.feed(chunk)] + list(lines.finish())


async def texts(source: Source) -> list[bytes]:
    return [line.text async for _, lines in read(source) for line in lines]


@given(st.lists(st.binary(max_size=4).map(lambda part: part.replace(b"\r", b""))))
def test_the_chunks_do_not_matter(chunks: list[bytes]) -> None:
    whole = b"".join(chunks)

    lines = cut(chunks)

    assert [line.text for line in lines] == whole.split(b"\n")[: None if whole and whole[-1:] != b"\n" else -1]
    assert [line.number for line in lines] == list(range(1, len(lines) + 1))


def test_a_last_line_without_an_end_counts() -> None:
    assert cut([b"a\nb"]) == [Line(1, b"a", 1), Line(2, b"b", 1)]


def test_the_end_of_a_line_may_be_that_of_windows() -> None:
    assert cut([b"a\r", b"\nb\r\n"]) == [Line(1, b"a", 1), Line(2, b"b", 1)]


def test_blank_lines_keep_their_numbers() -> None:
    lines = cut([b"a\n\n \t\r\nb\n"])

    assert [(line.number, line.blank) for line in lines] == [(1, False), (2, True), (3, True), (4, False)]


def test_of_a_line_without_end_only_its_beginning_is_kept() -> None:
    chunk = b"x" * 100_000

    (long, short) = cut([*[chunk] * 50, b"\n", b"a\n"])

    assert (long.number, len(long.text), long.size) == (1, KEPT_BYTES, 5_000_000)
    assert short == Line(2, b"a", 1)


async def test_a_file_is_read_line_by_line(tmp_path: Path) -> None:
    file = tmp_path / "events.jsonl"
    file.write_bytes(b"a\nb\n")

    with opened(str(file)) as source:
        assert source.size == 4
        assert await texts(source) == [b"a", b"b"]


async def test_a_pipe_gives_its_lines_as_they_come() -> None:
    reading, writing = os.pipe()
    os.write(writing, b"a\n")
    source = Source("a pipe", reading, None)

    batches = read(source)
    first = await anext(batches)
    waiting = asyncio.ensure_future(anext(batches))
    await asyncio.sleep(0.01)
    waited = not waiting.done()
    os.write(writing, b"b")
    os.close(writing)

    assert first == (2, [Line(1, b"a", 1)])
    assert waited
    assert await waiting == (3, [])
    assert await anext(batches) == (3, [Line(2, b"b", 1)])
    os.close(reading)


@pytest.mark.parametrize("content", [b"\x1f\x8b\x08\0\0\0", "{}".encode("utf-16")])
async def test_what_is_no_text_is_refused_as_a_whole(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "junk"
    file.write_bytes(content)

    with opened(str(file)) as source, pytest.raises(CommandError, match="junk is no text"):
        await texts(source)


def test_what_cannot_be_opened_is_said_in_a_line(tmp_path: Path) -> None:
    for file, why in ((tmp_path / "none", "No such file"), (tmp_path, "is a folder")):
        with pytest.raises(CommandError, match=why), opened(str(file)):
            pass
