"""`callfold lag`."""

import asyncio
from dataclasses import asdict

from services.ops.console import print_json, print_table
from services.ops.lag import Lag, measure
from services.ops.program import Program
from services.ops.settings import KAFKA, OpsSettings, load

_COLUMNS = ("topic", "partition", "end", "committed", "lag", "lag_seconds")


def show(program: Program, *, json: bool) -> None:
    measured = asyncio.run(measure(load(program, KAFKA, kind=OpsSettings)))
    if json:
        print_json(asdict(measured))
    else:
        print_table(_COLUMNS, _rows(measured), _COLUMNS[1:])


def _rows(measured: Lag) -> list[list[object]]:
    rows: list[list[object]] = [[getattr(part, name) for name in _COLUMNS] for part in measured.partitions]
    return [*rows, [f"total ({measured.group})", "", "", "", measured.total.lag, measured.total.lag_seconds]]
