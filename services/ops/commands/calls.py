"""`callfold get` and `callfold events`."""

import click

from services.ops.commands.arguments import as_json, call_argument, organization_argument
from services.ops.errors import USAGE, CommandError
from services.ops.program import Program
from services.ops.start import loading


@click.command(epilog="Example: callfold get --details org-789 call-456")
@organization_argument
@call_argument
@click.option("--details", is_flag=True, help="Print legs, turns, tool calls, costs, ends and problems instead")
@click.option("--json", is_flag=True, expose_value=False, help="Print JSON, as without it")
@click.pass_obj
def get(program: Program, *, organization: str, call_id: str, details: bool) -> None:
    """Print the record of a call, or its details.

    ORG is the organizationid and CALL_ID the subject of the call's events. The output is what the API serves; the
    finality goes to standard error.
    """
    with loading():
        from services.ops.actions import get as action
    action.get(program, organization, call_id, details=details)


@click.command(epilog="Example: callfold events org-789 call-456")
@organization_argument
@call_argument
@click.option("--raw", is_flag=True, help="Print the events themselves, one a line, as `publish` takes them")
@as_json
@click.pass_obj
def events(program: Program, *, organization: str, call_id: str, raw: bool, json: bool) -> None:
    """List the events of a call that the log has, and which count.

    They are in the order of the fold, invalid ones last. An event counts; or it is a copy of another; or it is lost,
    because another body with its source and id counts; or superseded by a later version; or invalid by the present
    rules. Its offset is a range where the log does not have it exactly.

    Only --raw and --json print what the events contain.
    """
    if raw and json:
        raise CommandError("--raw cannot be combined with --json", USAGE)
    with loading():
        from services.ops.actions import call_events as action
    action.show(program, organization, call_id, raw=raw, json=json)
