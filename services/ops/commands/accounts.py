"""`callfold accounts`."""

import click

from services.ops.commands.arguments import as_json, given
from services.ops.start import loading

ROLES = ("viewer", "support", "operator")
_NAME = r"[A-Za-z0-9._@-]{1,100}"


def _account(text: str) -> str:
    import re

    if not re.fullmatch(_NAME, text):
        raise click.BadParameter("must have 1 to 100 letters, digits, `.`, `_`, `@` or `-`")
    return text


@click.group("accounts", no_args_is_help=True, epilog="Example: callfold accounts hash ann --role support")
def group() -> None:
    """Make accounts of the console."""


@group.command("hash", epilog="Example: callfold accounts hash ann --role support >> accounts.toml")
@click.argument("name", callback=given(_account))
@click.option(
    "--role",
    type=click.Choice(ROLES),
    default=ROLES[0],
    show_default=True,
    help="viewer: lag and lists; support: calls too; operator: replay and rebuild too",
)
@as_json
def hash_(*, name: str, role: str, json: bool) -> None:
    """Ask for a password, and print the account as CALLFOLD_CONSOLE_ACCOUNTS holds it.

    The password is read from standard input where that is no terminal. Only its Argon2 hash is printed.
    """
    with loading():
        from services.ops.actions import accounts as action
    action.print_account(name, role, json=json)
