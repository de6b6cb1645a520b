"""`callfold dead-letters replay`."""

import asyncio
import sys
from typing import Annotated

import typer

from services.ops.commands.dead_letter_options import Calls, Numbers, Reasons, Since, Sources, Until, selection
from services.ops.console import Advance, print_error, print_result, progress
from services.ops.dead_letters.reader import Report
from services.ops.dead_letters.replay import Replay, Tally
from services.ops.dead_letters.scan import scan
from services.ops.errors import FAILED, INTERRUPTED, CommandError
from services.ops.settings import OpsSettings

DryRun = Annotated[bool, typer.Option("--dry-run", help="Print what would be done, and send nothing")]
Again = Annotated[
    bool, typer.Option("--again", help="Also those that were refused again after a replay, or are already in the log")
]
Yes = Annotated[bool, typer.Option("--yes", help="Send all back without asking")]


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
    """Send dead letters back to the topics that they came from, all or those that are selected.

    A record that is refused again becomes a dead letter again, which is not replayed without --again; nor is an event
    that the log already has. An event that arrives twice counts once.
    """
    chosen = selection(reason, call, source, since=since, until=until, numbers=numbers)
    settings = OpsSettings.load()
    with progress("reading", None) as advance:
        found = asyncio.run(scan(settings, chosen, reporting(advance)))
    if chosen.is_everything and not (yes or dry_run):
        _confirm(found.selected)
    run = Replay(settings, chosen, again=again, dry=dry_run)
    with progress("sending back", found.total) as advance:
        tally = asyncio.run(run.run(context.obj, found, reporting(advance)))
    _print_tally(tally, "would be sent back" if dry_run else "sent back")


def _confirm(selected: int) -> None:
    """Ask for confirmation on a terminal."""
    if sys.stdin is None or not (sys.stdin.isatty() and sys.stderr.isatty()):
        return
    try:
        agreed = typer.confirm(f"Send all {selected} dead letters back to their topics?", err=True)
    except typer.Abort:
        raise CommandError("interrupted; nothing was sent back", INTERRUPTED) from None
    if not agreed:
        raise CommandError("nothing was sent back")


def _print_tally(tally: Tally, done: str) -> None:
    for groups, what in ((tally.skipped, "left out"), (tally.refused, "cannot be sent back")):
        for why, group in groups.items():
            more = ", ..." if group.count > len(group.first) else ""
            print_error(f"{group.count} {what} ({', '.join(group.first)}{more}): {why}")
    left, refused = (sum(group.count for group in groups.values()) for groups in (tally.skipped, tally.refused))
    print_result(f"{tally.sent} {done}, {left} left out, {refused} refused")
    if refused:
        raise typer.Exit(FAILED)


def reporting(advance: Advance) -> Report:
    """Return a report that shows how many dead letters were read."""
    return lambda read: advance(read, f"{read} dead letters")
