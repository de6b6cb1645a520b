"""`callfold lag`."""

import asyncio
from dataclasses import asdict
from typing import Annotated

import typer

from services.ops.console import print_json, print_table
from services.ops.lag import Lag, measure
from services.ops.settings import OpsSettings

app = typer.Typer()

Json = Annotated[bool, typer.Option("--json", help="Print JSON, for programs")]

_COLUMNS = ("topic", "partition", "end", "committed", "lag", "lag_seconds")


@app.command(epilog="Example: callfold lag --json")
def lag(json: Json = False) -> None:
    """Show how far the workers are behind: records left to read, and the age of the oldest of them in seconds.

    Both are 0 where no record is left; the age is unknown (null) where the oldest record cannot be read.
    """
    measured = asyncio.run(measure(OpsSettings.load()))
    if json:
        print_json(asdict(measured))
    else:
        print_table(_COLUMNS, _rows(measured), _COLUMNS[1:])


def _rows(measured: Lag) -> list[list[object]]:
    rows: list[list[object]] = [[getattr(part, name) for name in _COLUMNS] for part in measured.partitions]
    return [*rows, [f"total ({measured.group})", "", "", "", measured.total.lag, measured.total.lag_seconds]]
