"""`callfold dead-letters replay`."""

import asyncio
import sys
from typing import Annotated

import typer

from services.ops.commands.dead_letter_options import Calls, Numbers, Reasons, Since, Sources, Until, selection
from services.ops.console import Advance, print_error, print_result, progress
from services.ops.dead_letters.reader import Report
from services.ops.dead_letters.replay import Replay, Tally
from services.ops.dead_letters.scan import survey
from services.ops.errors import FAILED, INTERRUPTED, CommandError
from services.ops.settings import OpsSettings

DryRun = Annotated[bool, typer.Option("--dry-run", help="Only say what would be done")]
Again = Annotated[
    bool, typer.Option("--again", help="Also what was refused again after it had been sent back, or is in the log")
]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask before all are sent back")]


def replay(
    context: typer.Context,
    numbers: Numbers = None,
    *,
    reason: Reasons = None,
    call: Calls = None,
    source: Sources = None,
    since: Since = None,
    until: Until = None,
    dry_run: DryRun = False,
    again: Again = False,
    yes: Yes = False,
) -> None:
    """Send dead letters back to the topics that they came from, all or those that are meant.

    What is refused again becomes a dead letter again, which is not sent back without --again; nor is what the log holds
    by now. Of an event that comes twice the record is the same.
    """
    chosen = selection(reason, call, source, since=since, until=until, numbers=numbers)
    settings = OpsSettings.load()
    with progress("reading", None) as advance:
        found = asyncio.run(survey(settings, chosen, reporting(advance)))
    if chosen.is_everything and not (yes or dry_run):
        _confirm(found.meant)
    run = Replay(settings, chosen, again=again, dry=dry_run)
    with progress("sending back", found.total) as advance:
        tally = asyncio.run(run.run(context.obj, found, reporting(advance)))
    _conclude(tally, "would be sent back" if dry_run else "sent back")


def _confirm(meant: int) -> None:
    """Ask, where there is somebody who can answer."""
    if sys.stdin is None or not (sys.stdin.isatty() and sys.stderr.isatty()):
        return
    try:
        agreed = typer.confirm(f"Send all {meant} dead letters back to their topics?", err=True)
    except typer.Abort:
        raise CommandError("interrupted: nothing was sent back", INTERRUPTED) from None
    if not agreed:
        raise CommandError("nothing was sent back")


def _conclude(tally: Tally, done: str) -> None:
    for reasons, what in ((tally.left, "left out"), (tally.refused, "cannot be sent back")):
        for why, some in reasons.items():
            more = ", ..." if some.count > len(some.first) else ""
            print_error(f"{some.count} {what} ({', '.join(some.first)}{more}): {why}")
    left, refused = (sum(some.count for some in reasons.values()) for reasons in (tally.left, tally.refused))
    print_result(f"{tally.sent} {done}, {left} left out, {refused} refused")
    if refused:
        raise typer.Exit(FAILED)


def reporting(advance: Advance) -> Report:
    """Return what shows how many dead letters were read."""
    return lambda read: advance(read, f"{read} dead letters")
