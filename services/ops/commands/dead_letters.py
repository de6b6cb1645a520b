"""`callfold dead-letters`."""

from typing import TYPE_CHECKING

import click

from services.ops.commands.arguments import as_json
from services.ops.commands.dead_letter_options import selecting
from services.ops.errors import USAGE, CommandError
from services.ops.program import Program
from services.ops.start import loading

if TYPE_CHECKING:
    from shared.dead_letters.selection import Selection


@click.group("dead-letters", no_args_is_help=True, epilog="Example: callfold dead-letters list")
def group() -> None:
    """List, show, export and replay the records that were refused."""


@group.command("list", epilog="Example: callfold dead-letters list --organization org-789 --reason missing")
@selecting(numbered=False)
@click.option("--wide", is_flag=True, help="Print all columns, in lines of any length")
@as_json
@click.pass_obj
def list_(program: Program, *, chosen: "Selection", wide: bool, json: bool) -> None:
    """List the dead letters, all or those within every limit.

    Without --wide a line fits the terminal, or 80 columns.
    """
    with loading():
        from services.ops.actions import dead_letters as action
    action.list_letters(program, chosen, wide=wide, json=json)


@group.command(epilog="Example: callfold dead-letters show 17 > record.json")
@click.argument("number", metavar="N")
@as_json
@click.pass_obj
def show(program: Program, *, number: str, json: bool) -> None:
    """Write the value of one dead letter to standard output.

    N is its number in `dead-letters list`. Its key and headers go to standard error. With --json everything is one
    object, as in the lines that `export` writes.
    """
    with loading():
        from services.ops.actions import dead_letters as action
    action.show(program, number, json=json)


@group.command(epilog="Example: callfold dead-letters export --call call-456 --output letters.jsonl")
@selecting(numbered=True)
@click.option("--output", "-o", metavar="FILE", default="-", help="The file to write; - is standard output")
@click.option("--force", is_flag=True, help="Replace a file that exists")
@as_json
@click.pass_obj
def export(program: Program, *, chosen: "Selection", output: str, force: bool, json: bool) -> None:
    """Write the dead letters with all their bytes as JSON Lines.

    They are all, or those that are selected; N is a number in `dead-letters list`. Bytes are {"text": ...} where they
    are UTF-8, else {"base64": ...}. --json prints how many were exported.
    """
    if json and output == "-":
        raise CommandError("--json needs --output FILE: the lines on standard output are JSON already", USAGE)
    with loading():
        from services.ops.actions import dead_letters as action
    action.export(program, chosen, output, force=force, json=json)


@group.command(epilog="Example: callfold dead-letters replay --reason missing --dry-run")
@selecting(numbered=True)
@click.option("--dry-run", is_flag=True, help="Print what would be done, and send nothing")
@click.option(
    "--again", is_flag=True, help="Also those that were refused again after a replay, or are already in the log"
)
@click.option("--yes", is_flag=True, help="Send all back without asking")
@as_json
@click.pass_obj
def replay(program: Program, *, chosen: "Selection", dry_run: bool, again: bool, yes: bool, json: bool) -> None:
    """Send dead letters back to the topics that they came from.

    They are all, or those that are selected; N is a number in `dead-letters list`.

    A record that is refused again becomes a dead letter again, which is not replayed without --again; nor is an event
    that the log already has. An event that arrives twice counts once.
    """
    with loading():
        from services.ops.actions import replay as action
    action.replay(program, chosen, again=again, dry_run=dry_run, yes=yes, json=json)
