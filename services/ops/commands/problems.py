"""`callfold problems`."""

import click

from services.ops.commands.arguments import as_json, moment, of_organization
from services.ops.program import Program
from services.ops.start import loading
from shared.contract.problems import STORED_KINDS


@click.command(epilog="Example: callfold problems --organization org-789 --kind conflict --since 24h")
@of_organization
@click.option(
    "--kind",
    "kinds",
    metavar="KIND",
    type=click.Choice([kind.value for kind in STORED_KINDS]),
    multiple=True,
    help="Only calls with this kind of problem, such as conflict; may be repeated",
)
@click.option(
    "--since",
    metavar="TIME",
    type=moment,
    help="Only calls whose latest event arrived since then: RFC 3339, or how long ago, such as 90m, 24h or 7d",
)
@as_json
@click.pass_obj
def problems(
    program: Program, *, organization: str | None, kinds: tuple[str, ...], since: int | None, json: bool
) -> None:
    """List the calls that contradict themselves.

    They are listed as their last fold found them, the latest arrival first. `callfold get --details` shows the problems
    of one call. A running call is listed once its record is stored.
    """
    with loading():
        from services.ops.actions.problems import list_problems
        from services.ops.problems import Limits
    list_problems(program, Limits(organization, frozenset(kinds), since or 0), json=json)
