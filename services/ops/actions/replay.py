"""`callfold dead-letters replay`."""

import asyncio
import sys

import click

from services.ops.console import Advance, print_error, print_json, print_result, progress
from services.ops.dead_letters.reader import Report
from services.ops.dead_letters.replay import Replay, Tally
from services.ops.dead_letters.scan import scan
from services.ops.dead_letters.selection import Selection
from services.ops.errors import FAILED, INTERRUPTED, CommandError
from services.ops.program import Program
from services.ops.settings import KAFKA, MONGO, OpsSettings, load


def replay(program: Program, chosen: Selection, *, again: bool, dry_run: bool, yes: bool, json: bool) -> None:
    """Replay the chosen dead letters; ask first, on a terminal, if those are all."""
    settings = load(program, KAFKA, MONGO, kind=OpsSettings)
    with progress("reading", None) as advance:
        found = asyncio.run(scan(settings, chosen, reporting(advance)))
    if chosen.is_everything and not (yes or dry_run):
        _confirm(found.selected)
    run = Replay(settings, chosen, again=again, dry=dry_run)
    with progress("sending back", found.total) as advance:
        tally = asyncio.run(run.run(program.opening, found, reporting(advance)))
    if json:
        print_json(_described(tally, dry_run=dry_run))
    else:
        _print_tally(tally, "would be sent back" if dry_run else "sent back")
    if tally.refused:
        raise click.exceptions.Exit(FAILED)


def _confirm(selected: int) -> None:
    """Ask for confirmation on a terminal."""
    if sys.stdin is None or not (sys.stdin.isatty() and sys.stderr.isatty()):
        return
    try:
        agreed = click.confirm(f"Send all {selected} dead letters back to their topics?", err=True)
    except click.Abort:
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


def _described(tally: Tally, *, dry_run: bool) -> dict[str, object]:
    groups = {"left_out": tally.skipped, "refused": tally.refused}
    return {
        "sent": tally.sent,
        "dry_run": dry_run,
        **{
            name: [{"why": why, "count": group.count, "first": group.first} for why, group in found.items()]
            for name, found in groups.items()
        },
    }


def reporting(advance: Advance) -> Report:
    """Return a report that shows how many dead letters were read."""
    return lambda read: advance(read, f"{read} dead letters")
