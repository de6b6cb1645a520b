"""`callfold dead-letters`."""

import asyncio
import sys
from collections.abc import AsyncIterator
from typing import Annotated

import typer

from services.ops.commands.dead_letter_options import Calls, Numbers, Reasons, Since, Sources, Until, selection
from services.ops.commands.replay import replay, reporting
from services.ops.console import as_json, print_error, print_table, progress, write_text
from services.ops.dead_letters import reader
from services.ops.dead_letters.dead_letter import DeadLetter
from services.ops.dead_letters.export import Write, line_of, written
from services.ops.dead_letters.selection import Selection
from services.ops.settings import OpsSettings

app = typer.Typer(
    name="dead-letters",
    help="The records that were refused, and why: list, show, export and replay them.",
    epilog="Example: callfold dead-letters list",
    no_args_is_help=True,
)

Json = Annotated[bool, typer.Option("--json", help="Print JSON, for programs")]
Number = Annotated[str, typer.Argument(metavar="N", help="The number in `dead-letters list`")]
Output = Annotated[str, typer.Option("--output", "-o", metavar="FILE", help="The file to write; - is standard output")]
Force = Annotated[bool, typer.Option("--force", help="Replace a file that exists")]

_MAX_CELL = 256
_PAGE = 1_000
_COLUMNS = ("number", "time", "reason", "detail", "call", "source", "topic", "partition", "offset", "replays")
_NUMBERS = ("number", "partition", "offset", "replays")


@app.command("list", epilog="Example: callfold dead-letters list --reason missing --from 2026-11-22T10:00:00Z")
def list_(
    *,
    reason: Reasons = None,
    call: Calls = None,
    source: Sources = None,
    since: Since = None,
    until: Until = None,
    json: Json = False,
) -> None:
    """List the dead letters, all or those within every limit."""
    chosen = selection(reason, call, source, since=since, until=until)
    asyncio.run(_list(OpsSettings.load(), chosen, json=json))


@app.command(epilog="Example: callfold dead-letters show 17 > record.json")
def show(number: Number) -> None:
    """Write the value of one dead letter to standard output, its key and headers to standard error."""
    record = asyncio.run(_get(OpsSettings.load(), number)).record
    print_error(f"key: {_readable(record.key)}")
    for name, value in record.headers:
        print_error(f"{name}: {_readable(value)}")
    sys.stdout.buffer.write(record.value or b"")
    sys.stdout.buffer.flush()


@app.command(epilog="Example: callfold dead-letters export --call call-456 --output letters.jsonl")
def export(
    numbers: Numbers = None,
    *,
    reason: Reasons = None,
    call: Calls = None,
    source: Sources = None,
    since: Since = None,
    until: Until = None,
    output: Output = "-",
    force: Force = False,
) -> None:
    """Write the dead letters with all their bytes as JSON Lines, all or those that are selected.

    Bytes are {"text": ...} where they are UTF-8, else {"base64": ...}.
    """
    chosen = selection(reason, call, source, since=since, until=until, numbers=numbers)
    settings = OpsSettings.load()
    if output == "-":
        done = asyncio.run(_export(settings, chosen, write_text))
    else:
        with written(output, force=force) as write:
            done = asyncio.run(_export(settings, chosen, write))
    print_error(f"{done} exported")


app.command(epilog="Example: callfold dead-letters replay --reason missing --dry-run")(replay)


async def _get(settings: OpsSettings, number: str) -> DeadLetter:
    async with reader.opened(settings) as topic:
        return await topic.get(number)


async def _list(settings: OpsSettings, chosen: Selection, *, json: bool) -> None:
    print_all = _print_json if json else _print_table
    async with reader.opened(settings, since=chosen.since) as topic:
        with progress("reading", topic.total) as advance:
            await print_all(topic.selected(chosen, reporting(advance)))


async def _export(settings: OpsSettings, chosen: Selection, write: Write) -> int:
    done = 0
    async with reader.opened(settings, since=chosen.since) as topic:
        with progress("exporting", topic.total) as advance:
            async for letter in topic.selected(chosen, reporting(advance)):
                write(line_of(letter))
                done += 1
    return done


async def _print_table(letters: AsyncIterator[DeadLetter]) -> None:
    """Print page by page: there may be more than fit into memory."""
    page: list[list[object]] = []
    printed = False
    async for letter in letters:
        page.append(_row(letter))
        if len(page) == _PAGE:
            print_table(_COLUMNS, page, _NUMBERS, headed=not printed)
            page, printed = [], True
    if page or not printed:
        print_table(_COLUMNS, page, _NUMBERS, headed=not printed)


async def _print_json(letters: AsyncIterator[DeadLetter]) -> None:
    """Print one by one: there may be more than fit into memory."""
    before = "["
    async for letter in letters:
        write_text(f"{before}\n{as_json(letter.described())}")
        before = ","
    write_text("[]\n" if before == "[" else "\n]\n")


def _row(letter: DeadLetter) -> list[object]:
    return [
        f"{cell[:_MAX_CELL]}…" if isinstance(cell, str) and len(cell) > _MAX_CELL else cell
        for cell in (getattr(letter, name) for name in _COLUMNS)
    ]


def _readable(content: bytes | None) -> str:
    return "-" if content is None else content.decode(errors="backslashreplace")
