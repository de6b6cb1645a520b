"""`callfold dead-letters list`, `show` and `export`."""

import asyncio
import sys
from collections.abc import AsyncIterator
from dataclasses import replace

from services.ops.actions.replay import reporting
from services.ops.console import (
    JsonList,
    print_error,
    print_json,
    print_table,
    progress,
    shorten,
    shown,
    width,
    write_text,
)
from services.ops.export import Write, line_of, written
from services.ops.numbers import translate_errors
from services.ops.program import Program
from services.ops.settings import KAFKA, OpsSettings, load
from shared.dead_letters import reader
from shared.dead_letters.content import content_of
from shared.dead_letters.dead_letter import DeadLetter
from shared.dead_letters.selection import Selection

_MAX_CELL = 256
_PAGE = 1_000
_COLUMNS = ("number", "time", "reason", "call", "detail")
_ALL_COLUMNS = (
    *("number", "time", "reason", "detail", "organization", "call"),
    *("source", "topic", "partition", "offset", "replays"),
)
_NUMBERS = ("number", "partition", "offset", "replays")
_GAP = 3
_EDGES = 2
_MAX_REASON = 15
_SECONDS = len("2026-11-22T10:00:00")


def list_letters(program: Program, chosen: Selection, *, wide: bool, json: bool) -> None:
    asyncio.run(_list(load(program, KAFKA, kind=OpsSettings), chosen, wide=wide, json=json))


def show(program: Program, number: str, *, json: bool) -> None:
    letter = asyncio.run(_get(load(program, KAFKA, kind=OpsSettings), number))
    if json:
        print_json(content_of(letter))
        return
    print_error(f"key: {_readable(letter.record.key)}")
    for name, value in letter.record.headers:
        print_error(f"{name}: {_readable(value)}")
    sys.stdout.buffer.write(letter.record.value or b"")
    sys.stdout.buffer.flush()


def export(program: Program, chosen: Selection, output: str, *, force: bool, json: bool) -> None:
    settings = load(program, KAFKA, kind=OpsSettings)
    if output == "-":
        done = asyncio.run(_export(settings, chosen, write_text))
    else:
        with written(output, force=force) as write:
            done = asyncio.run(_export(settings, chosen, write))
    if json:
        print_json({"exported": done, "file": output})
    else:
        print_error(f"{done} exported")


async def _get(settings: OpsSettings, number: str) -> DeadLetter:
    with translate_errors():
        async with reader.opened(settings.kafka, settings.topics.dead_letter) as topic:
            return await topic.get(number)


async def _list(settings: OpsSettings, chosen: Selection, *, wide: bool, json: bool) -> None:
    async with reader.opened(settings.kafka, settings.topics.dead_letter, since=chosen.since) as topic:
        with progress("reading", topic.total) as advance:
            letters = topic.selected(chosen, reporting(advance))
            await (_print_json(letters) if json else _print_table(letters, wide=wide))


async def _export(settings: OpsSettings, chosen: Selection, write: Write) -> int:
    done = 0
    topics = settings.topics
    async with reader.opened(settings.kafka, topics.dead_letter, since=chosen.since) as topic:
        with translate_errors(), progress("exporting", topic.total) as advance:
            async for letter in topic.selected(chosen, reporting(advance)):
                write(line_of(letter))
                done += 1
    return done


async def _print_table(letters: AsyncIterator[DeadLetter], *, wide: bool) -> None:
    """Print page by page: there may be more than fit into memory."""
    columns, rows = (_ALL_COLUMNS, _all_columns) if wide else (_COLUMNS, fitted)
    page: list[DeadLetter] = []
    printed = False
    async for letter in letters:
        page.append(replace(letter, record=None))  # its bytes are not shown
        if len(page) == _PAGE:
            print_table(columns, rows(page), _NUMBERS, headed=not printed)
            page, printed = [], True
    if page or not printed:
        print_table(columns, rows(page), _NUMBERS, headed=not printed)


async def _print_json(letters: AsyncIterator[DeadLetter]) -> None:
    with JsonList() as listed:
        async for letter in letters:
            listed.add(letter.described())


def _all_columns(letters: list[DeadLetter]) -> list[list[object]]:
    cells = [[getattr(letter, name) for name in _ALL_COLUMNS] for letter in letters]
    return [[shorten(cell, _MAX_CELL) if isinstance(cell, str) else cell for cell in row] for row in cells]


def fitted(letters: list[DeadLetter]) -> list[list[object]]:
    """Return rows whose lines fit the terminal, 80 columns elsewhere: the call gets half of what is left, or less."""
    rows = [(each.number, f"{each.time[:_SECONDS]}Z", shorten(each.reason or "-", _MAX_REASON)) for each in letters]
    widths = [max((len(row[place]) for row in rows), default=0) for place in range(len(_COLUMNS[:3]))]
    left = width() - sum(map(max, widths, map(len, _COLUMNS))) - _GAP * (len(_COLUMNS) - 1) - _EDGES
    call = min(max((len(shown(each.call or "-")) for each in letters), default=0), left // 2)
    return [
        [*row, shorten(each.call or "-", call), shorten(each.detail or "-", left - call)]
        for row, each in zip(rows, letters, strict=True)
    ]


def _readable(content: bytes | None) -> str:
    return "-" if content is None else content.decode(errors="backslashreplace")
