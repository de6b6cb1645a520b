"""`callfold rewind`."""

from math import isfinite

import click

from services.ops.commands.arguments import as_json, moment
from services.ops.errors import USAGE, CommandError
from services.ops.program import Program
from services.ops.start import loading

_MINUTE_MS = 60_000


@click.command(epilog="Example: callfold rewind --to 2026-11-22T03:00:00Z --dry-run")
@click.option(
    "--to", metavar="TIME", type=moment, help="When the backup was begun: RFC 3339, or how long ago, such as 24h"
)
@click.option("--to-beginning", is_flag=True, help="To the first record that the topics still hold")
@click.option(
    "--margin",
    metavar="MINUTES",
    type=click.FloatRange(min=0),
    default=60.0,
    show_default=True,
    help="So much earlier: as far as workers were behind when the backup was begun",
)
@click.option("--incomplete", is_flag=True, help="Also where a partition no longer holds all events since then")
@click.option("--dry-run", is_flag=True, help="Show what would be set, and set nothing")
@as_json
@click.pass_obj
def rewind(
    program: Program,
    *,
    to: int | None,
    to_beginning: bool,
    margin: float,
    incomplete: bool,
    dry_run: bool,
    json: bool,
) -> None:
    """Let stopped workers read again, as after a restore of MongoDB.

    They then read what has arrived since a time. Events that the log has are not counted twice. `complete` is whether a
    partition still holds all events since then; where one does not, nothing is set without --incomplete.
    docs/runbooks/restored-backup.md has the whole procedure.
    """
    if (to is None) is not to_beginning:
        raise CommandError("give either --to or --to-beginning", USAGE)
    if not isfinite(margin):
        raise CommandError("--margin must be a number of minutes", USAGE)
    with loading():
        from services.ops.actions import rewind as action
    since = None if to is None else max(int(to - margin * _MINUTE_MS), 0)
    action.rewind(program, since, incomplete=incomplete, dry_run=dry_run, json=json)
