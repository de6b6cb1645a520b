"""`callfold rebuild`."""

import click

from services.ops.commands.arguments import as_json, call, given, key, of_organization
from services.ops.errors import USAGE, CommandError
from services.ops.program import Program
from services.ops.start import loading


@click.command(epilog="Example: callfold rebuild --organization org-789 --outdated")
@of_organization
@click.option("--call", "call_id", metavar="CALL_ID", callback=given(call), help="Only this call of the organization")
@click.option(
    "--after",
    metavar="ORG/CALL_ID",
    callback=given(key),
    help="Continue a run that was interrupted after this call",
)
@click.option("--outdated", is_flag=True, help="Only records made by other rules or another price book")
@click.option("--broken", is_flag=True, help="Only calls that could not be folded")
@as_json
@click.pass_obj
def rebuild(
    program: Program,
    *,
    organization: str | None,
    call_id: str | None,
    after: str | None,
    outdated: bool,
    broken: bool,
    json: bool,
) -> None:
    """Fold records again from the log, while the workers run.

    This is for a change of rules or prices, and for a loss of `calls`.

    The prices are those of CALLFOLD_PRICE_BOOK in this environment. A run that is interrupted prints how to continue.
    """
    if call_id is not None and organization is None:
        raise CommandError("--call needs --organization", USAGE)
    if call_id is not None and after is not None:
        raise CommandError("--after cannot be combined with --call", USAGE)
    with loading():
        from services.ops.actions import rebuild as action
        from services.ops.rebuild import Wanted
    action.rebuild(program, Wanted(organization, after, outdated, broken), call_id, json=json)
