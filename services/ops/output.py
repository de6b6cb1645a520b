"""What reaches the terminal: tables, lines and progress. Nothing that came from outside is taken for a control code."""

import json
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from rich import box
from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskProgressColumn, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

Advance = Callable[[int, str], None]
"""Says how much is done, in the total's unit, and shows a text beside it."""

_ERRORS = Console(stderr=True, highlight=False, markup=False)
_UNLIMITED = 100_000  # into a pipe a row is one line, however long
# Valid as they are in JSON, but a terminal obeys some and hides others.
_INVISIBLE = re.compile("[\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]")


def shown(text: str) -> str:
    r"""Return the text with everything that does not print (controls, bidirectional marks) escaped, as in `\x1b`."""
    if text.isprintable():
        return text
    return "".join(sign if sign.isprintable() else sign.encode("unicode_escape").decode() for sign in text)


def say(line: str) -> None:
    """Print one line to standard error, above a progress bar if there is one."""
    _ERRORS.print(Text(shown(line)), soft_wrap=True)


def answer(line: str) -> None:
    """Print one line to standard output."""
    sys.stdout.write(f"{shown(line)}\n")


def answer_json(value: Any) -> None:
    """Print a value to standard output, as JSON."""
    answer_text(f"{as_json(value, indent=2)}\n")


def answer_text(text: str) -> None:
    """Write text for programs to standard output, in UTF-8 whatever the terminal's encoding is."""
    sys.stdout.flush()
    sys.stdout.buffer.write(text.encode(errors="replace"))
    sys.stdout.buffer.flush()


def as_json(value: Any, indent: int | None = None) -> str:
    """Return the value as JSON text that a terminal shows in full."""
    text = json.dumps(value, indent=indent, ensure_ascii=False)
    return _INVISIBLE.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def answer_table(columns: Sequence[str], rows: Sequence[Sequence[object]], numbers: Sequence[str] = ()) -> None:
    """Print a table to standard output; the columns `numbers` are set flush right, None is shown as `-`."""
    terminal = sys.stdout.isatty()
    table = Table(box=box.SIMPLE_HEAD if terminal else None, pad_edge=False)
    for name in columns:
        table.add_column(name, justify="right" if name in numbers else "left", overflow="fold")
    for row in rows:
        table.add_row(*(Text("-" if cell is None else shown(str(cell))) for cell in row))
    Console(highlight=False, width=None if terminal else _UNLIMITED).print(table)


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
