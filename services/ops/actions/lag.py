"""`callfold lag`."""

import asyncio

from services.ops.console import print_error, print_json
from services.ops.errors import CommandError
from services.ops.lag.table import print_lag
from services.ops.lag.taking import take
from services.ops.program import Program
from services.ops.settings import KAFKA, OpsSettings, load
from shared.lag.document import document
from shared.lag.models import Lag


def show(program: Program, *, json: bool, window: float | None, fail_over: float | None) -> None:
    """Print the lag.

    Raises:
        CommandError: it is above `fail_over` seconds, or not known.
    """
    lag = asyncio.run(take(program, load(program, KAFKA, kind=OpsSettings), window))
    if json:
        print_json(document(lag))
    else:
        print_lag(lag)
        for each in lag.hidden:
            print_error(f"callfold: not visible: {each}")
    if fail_over is not None:
        _check(lag, fail_over)


def watch(program: Program) -> None:
    """Show the lag until it is ended."""
    from services.ops.lag import watching

    asyncio.run(watching.watch(program, load(program, KAFKA, kind=OpsSettings)))


def _check(lag: Lag, most: float) -> None:
    if lag.lag_seconds is None:
        raise CommandError("the lag in seconds is not known")
    if lag.lag_seconds > most:
        raise CommandError(f"the lag is {lag.lag_seconds:.1f} s, above {most:g} s")
