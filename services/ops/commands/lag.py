"""`callfold lag`."""

import click

from services.ops.commands.arguments import as_json
from services.ops.program import Program
from services.ops.start import loading


@click.command(epilog="Example: callfold lag --json")
@as_json
@click.pass_obj
def lag(program: Program, *, json: bool) -> None:
    """Show how far the workers are behind, in records and seconds.

    These are the records left to read, and the age of the oldest of them. Both are 0 where no record is left; the age
    is unknown (null) where the oldest record cannot be read.
    """
    with loading():
        from services.ops.actions.lag import show
    show(program, json=json)
