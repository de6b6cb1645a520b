"""`callfold keys`."""

import click

from services.ops.commands.arguments import as_json, given, label, organization
from services.ops.program import Program
from services.ops.start import loading


@click.group("keys", no_args_is_help=True, epilog="Example: callfold keys list")
def group() -> None:
    """Create, list and revoke API keys, each for one organization."""


@group.command(epilog="Example: callfold keys create --organization org-789 --name dashboard")
@click.option(
    "--organization",
    "organization_id",
    metavar="ORG",
    required=True,
    callback=given(organization),
    help="The organizationid whose calls the key may read",
)
@click.option("--name", metavar="NAME", callback=given(label), help="A name that says what the key is for")
@as_json
@click.pass_obj
def create(program: Program, *, organization_id: str, name: str | None, json: bool) -> None:
    """Create a key, and show its secret.

    It is shown now and never again: only a hash of it is stored.
    """
    with loading():
        from services.ops.actions import keys as action
    action.create(program, organization_id, name, json=json)


@group.command("list", epilog="Example: callfold keys list")
@as_json
@click.pass_obj
def list_(program: Program, *, json: bool) -> None:
    """List the keys, oldest first."""
    with loading():
        from services.ops.actions import keys as action
    action.list_keys(program, json=json)


@group.command(epilog="Example: callfold keys revoke cf_0123456789abcdef01234567")
@click.argument("key", callback=given(label))
@as_json
@click.pass_obj
def revoke(program: Program, *, key: str, json: bool) -> None:
    """Revoke a key: the API rejects it within five seconds.

    KEY is the api_key as `keys list` shows it. Revoking it again changes nothing.
    """
    with loading():
        from services.ops.actions import keys as action
    action.revoke(program, key, json=json)
