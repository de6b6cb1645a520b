"""`callfold lag`."""

from math import isfinite

import click

from services.ops.commands.arguments import as_json
from services.ops.errors import USAGE, CommandError
from services.ops.program import Program
from services.ops.start import loading


@click.command(epilog="Example: callfold lag --fail-over 30")
@click.option("--watch", is_flag=True, help="Show it live, until q is typed")
@click.option(
    "--fail-over",
    metavar="SECONDS",
    type=click.FloatRange(min=0),
    help="Exit with 1 if the lag in seconds is above this, or not known",
)
@click.option(
    "--window",
    metavar="SECONDS",
    type=click.FloatRange(min=0, max=600),
    help="Read for exactly so long, once a second; 0 reads once",
)
@as_json
@click.pass_obj
def lag(program: Program, *, watch: bool, fail_over: float | None, window: float | None, json: bool) -> None:
    """Show how far the workers are behind, and why.

    For each partition: records left to read, the age of the oldest of them in seconds, how many records arrive and are
    committed in a second, how long until none is left, which worker owns it, a verdict and its cause. What is not
    known is `-`, or null in JSON.

    A verdict is about movement, so this takes 3 seconds, and up to 13 while records wait and none is committed;
    longer on a busy machine. docs/operations.md explains the verdicts and causes.
    """
    if watch and (json or fail_over is not None or window is not None):
        raise CommandError("--watch goes with no other option", USAGE)
    if not all(number is None or isfinite(number) for number in (fail_over, window)):
        raise CommandError("--fail-over and --window must be numbers of seconds", USAGE)
    with loading():
        from services.ops.actions import lag as action
    if watch:
        action.watch(program)
    else:
        action.show(program, json=json, window=window, fail_over=fail_over)
