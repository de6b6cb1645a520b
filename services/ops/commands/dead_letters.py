"""`callfold dead-letters`."""

import asyncio
import sys
from collections.abc import AsyncIterator
from dataclasses import asdict
from typing import Annotated, Any

import typer

from services.ops import dead_letters
from services.ops.dead_letters import DeadLetter
from services.ops.output import Advance, answer_table, answer_text, as_json, progress, say
from services.ops.settings import OpsSettings

app = typer.Typer(
    name="dead-letters",
    help="The records that could not be folded, and why.",
    epilog="Example: callfold dead-letters list",
    no_args_is_help=True,
)

Json = Annotated[bool, typer.Option("--json", help="Print JSON, for programs")]
Number = Annotated[str, typer.Argument(metavar="N", help="Its number in the list")]

_LONGEST = 256
_COLUMNS = ("number", "time", "reason", "detail", "call", "topic", "partition", "offset")
_NUMBERS = ("number", "partition", "offset")


@app.command("list", epilog="Example: callfold dead-letters list")
def list_(json: Json = False) -> None:
    """List the dead letters: the topic is read from its beginning to its end."""
    asyncio.run(_list(OpsSettings.load(), json=json))


@app.command(epilog="Example: callfold dead-letters show 17 > record.json")
def show(number: Number) -> None:
    """Write the bytes of one dead letter to standard output, its key and its headers to standard error."""
    record = asyncio.run(_record(OpsSettings.load(), number))
    say(f"key: {_readable(record.key)}")
    for name, content in record.headers:
        say(f"{name}: {_readable(content)}")
    sys.stdout.buffer.write(record.value or b"")
    sys.stdout.buffer.flush()


async def _record(settings: OpsSettings, number: str) -> Any:
    async with dead_letters.opened(settings) as topic:
        return await topic.record(number)


async def _list(settings: OpsSettings, *, json: bool) -> None:
    print_all = _print_json if json else _print_table
    async with dead_letters.opened(settings) as topic:
        with progress("reading", topic.total) as advance:
            await print_all(_watched(topic.letters(), advance))


async def _watched(letters: AsyncIterator[DeadLetter], advance: Advance) -> AsyncIterator[DeadLetter]:
    done = 0
    async for letter in letters:
        done += 1
        advance(done, f"{done} dead letters")
        yield letter


async def _print_table(letters: AsyncIterator[DeadLetter]) -> None:
    answer_table(_COLUMNS, [_row(letter) async for letter in letters], _NUMBERS)


async def _print_json(letters: AsyncIterator[DeadLetter]) -> None:
    """Print them as they come: there may be more than fit into memory."""
    before = "["
    async for letter in letters:
        answer_text(f"{before}\n{as_json(asdict(letter))}")
        before = ","
    answer_text("[]\n" if before == "[" else "\n]\n")


def _row(letter: DeadLetter) -> list[object]:
    return [
        f"{cell[:_LONGEST]}…" if isinstance(cell, str) and len(cell) > _LONGEST else cell
        for cell in (getattr(letter, name) for name in _COLUMNS)
    ]


def _readable(content: bytes | None) -> str:
    return "-" if content is None else content.decode(errors="backslashreplace")
