"""What reaches the terminal: tables, lines and progress. Nothing that came from outside is taken for a control code."""

import json
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from rich import box
from rich.cells import cell_len
from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskProgressColumn, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

Advance = Callable[[int, str], None]
"""Says how much is done, in the total's unit, and shows a text beside it."""

_ERRORS = Console(stderr=True, highlight=False, markup=False)
# Valid as they are in JSON, but a terminal obeys some and hides others.
_INVISIBLE = re.compile("[\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]")


def shown(text: str) -> str:
    r"""Return the text with everything that does not print (controls, bidirectional marks) escaped, as in `\x1b`."""
    if text.isprintable():
        return text
    return "".join(sign if sign.isprintable() else sign.encode("unicode_escape").decode() for sign in text)


def print_error(line: str) -> None:
    """Print one line to standard error, above a progress bar if there is one."""
    _ERRORS.print(Text(shown(line)), soft_wrap=True)


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
    """Return the value as JSON text that a terminal shows in full."""
    text = json.dumps(value, indent=indent, ensure_ascii=False)
    return _INVISIBLE.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def print_table(
    columns: Sequence[str], rows: Sequence[Sequence[object]], numbers: Sequence[str] = (), *, headed: bool = True
) -> None:
    """Print a table to standard output; the columns `numbers` are set flush right, None is shown as `-`.

    `headed`: not so the pages of a long table behind its first.
    """
    cells = [[("-" if cell is None else shown(str(cell))) for cell in row] for row in rows]
    if sys.stdout.isatty():
        _print_fitted(columns, cells, numbers, headed=headed)
    else:
        _print_lines([[*columns], *cells] if headed else cells, [name in numbers for name in columns])


def _print_fitted(
    columns: Sequence[str], cells: Sequence[Sequence[str]], numbers: Sequence[str], *, headed: bool
) -> None:
    """Print a table that is as wide as the terminal."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_header=headed)
    for name in columns:
        table.add_column(name, justify="right" if name in numbers else "left", overflow="fold")
    for row in cells:
        table.add_row(*map(Text, row))
    Console(highlight=False).print(table)


def _print_lines(rows: Sequence[Sequence[str]], right: Sequence[bool]) -> None:
    """Print each row as one line, however long: into a pipe, where there may be a hundred thousand."""
    widths = [max(map(cell_len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        padded = (
            f"{' ' * (width - cell_len(cell))}{cell}" if flush else f"{cell}{' ' * (width - cell_len(cell))}"
            for cell, width, flush in zip(row, widths, right, strict=True)
        )
        sys.stdout.write(f"{'  '.join(padded).rstrip()}\n")


@contextmanager
def progress(title: str, total: int | None) -> Iterator[Advance]:
    """Show progress on standard error while the context lasts, if that is a terminal; `total` None: not known."""
    columns = (
        *(SpinnerColumn(), TextColumn("{task.description}"), BarColumn()),
        *(TaskProgressColumn(), TextColumn("{task.fields[beside]}"), TimeElapsedColumn()),
    )
    with Progress(*columns, console=_ERRORS, transient=True, disable=not _ERRORS.is_terminal) as bar:
        task = bar.add_task(title, total=total, beside="")
        yield lambda done, beside: bar.update(task, completed=done, beside=beside)
