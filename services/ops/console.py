"""Output: tables, lines, JSON and progress. Data from outside never reaches the terminal as a control code."""

import re
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:  # rich is loaded by the first table or progress bar: `--help` needs none
    from rich.console import Console

Advance = Callable[[int, str], None]
"""Receives how much is done, in the unit of the total, and a text to show with it."""

_BAR: ContextVar["Console | None"] = ContextVar("_BAR", default=None)
"""Standard error while a progress bar is on it."""
# Valid in JSON text, but a terminal interprets or hides them.
_INVISIBLE = re.compile("[\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]")


def shown(text: str) -> str:
    r"""Escape every character that does not print (controls, bidirectional marks), as in `\x1b`."""
    if text.isprintable():
        return text
    return "".join(sign if sign.isprintable() else sign.encode("unicode_escape").decode() for sign in text)


def print_error(line: str) -> None:
    """Print one line to standard error, above a progress bar if there is one."""
    if (console := _BAR.get()) is None:
        sys.stderr.write(f"{shown(line)}\n")
        return
    from rich.text import Text

    console.print(Text(shown(line)), soft_wrap=True)


def print_result(line: str) -> None:
    """Print one line to standard output."""
    sys.stdout.write(f"{shown(line)}\n")


def print_json(value: Any) -> None:
    """Print a value to standard output, as JSON."""
    write_text(f"{as_json(value, indent=2)}\n")


def write_text(text: str) -> None:
    """Write text for programs to standard output, in UTF-8 whatever the terminal's encoding is."""
    sys.stdout.flush()
    sys.stdout.buffer.write(text.encode(errors="replace"))
    sys.stdout.buffer.flush()


def as_json(value: Any, indent: int | None = None) -> str:
    """Return the value as JSON text without characters that a terminal interprets or hides."""
    import json

    text = json.dumps(value, indent=indent, ensure_ascii=False)
    return _INVISIBLE.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def shorten(text: str, most: int) -> str:
    """Return the text as it is shown, cut off to at most so many columns of a terminal."""
    from rich.cells import cell_len, set_cell_size

    text = shown(text)
    return text if cell_len(text) <= most else f"{set_cell_size(text, max(most - 1, 0))}…"


def width() -> int:
    """Return the columns of the terminal, 80 without one."""
    return shutil.get_terminal_size().columns


class JsonList:
    """Prints a JSON array value by value while the context lasts: there may be more than fit into memory."""

    def __init__(self) -> None:
        self._before = "["

    def add(self, value: Any) -> None:
        write_text(f"{self._before}\n{as_json(value)}")
        self._before = ","

    def __enter__(self) -> Self:
        return self

    def __exit__(self, failed: object, *_: object) -> None:
        if failed is None:  # an array without an end is no JSON: a program does not take it for the whole
            write_text("[]\n" if self._before == "[" else "\n]\n")


def print_table(
    columns: Sequence[str], rows: Sequence[Sequence[object]], numbers: Sequence[str] = (), *, headed: bool = True
) -> None:
    """Print a table to standard output; the columns `numbers` are aligned right, None is shown as `-`.

    `headed` is false for the further pages of a long table.
    """
    cells = [[("-" if cell is None else shown(str(cell))) for cell in row] for row in rows]
    if sys.stdout.isatty():
        _print_fitted(columns, cells, numbers, headed=headed)
    else:
        _print_lines([[*columns], *cells] if headed else cells, [name in numbers for name in columns])


def _print_fitted(
    columns: Sequence[str], cells: Sequence[Sequence[str]], numbers: Sequence[str], *, headed: bool
) -> None:
    """Fit the table into the width of the terminal."""
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_header=headed)
    for name in columns:
        table.add_column(name, justify="right" if name in numbers else "left", overflow="fold")
    for row in cells:
        table.add_row(*map(Text, row))
    Console(highlight=False).print(table)


def _print_lines(rows: Sequence[Sequence[str]], right: Sequence[bool]) -> None:
    """Print each row as one line of any length, for programs that read the output."""
    from rich.cells import cell_len

    widths = [max(map(cell_len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        padded = (
            f"{' ' * (width - cell_len(cell))}{cell}" if flush else f"{cell}{' ' * (width - cell_len(cell))}"
            for cell, width, flush in zip(row, widths, right, strict=True)
        )
        sys.stdout.write(f"{'  '.join(padded).rstrip()}\n")


@contextmanager
def progress(title: str, total: int | None) -> Iterator[Advance]:
    """Show progress on standard error while the context lasts, if that is a terminal; `total` None: unknown."""
    if not sys.stderr.isatty():
        yield lambda _done, _text: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, SpinnerColumn, TaskProgressColumn, TextColumn, TimeElapsedColumn

    columns = (
        *(SpinnerColumn(), TextColumn("{task.description}"), BarColumn()),
        *(TaskProgressColumn(), TextColumn("{task.fields[text]}"), TimeElapsedColumn()),
    )
    console = Console(stderr=True, highlight=False, markup=False)
    before = _BAR.set(console)
    try:
        with Progress(*columns, console=console, transient=True) as bar:
            task = bar.add_task(title, total=total, text="")
            yield lambda done, text: bar.update(task, completed=done, text=text)
    finally:
        _BAR.reset(before)
