"""`callfold dead-letters replay`."""

import asyncio
import sys

import click

from services.ops import database, numbers
from services.ops.console import Advance, print_error, print_json, print_result, progress
from services.ops.errors import FAILED, INTERRUPTED, CommandError
from services.ops.program import Program
from services.ops.settings import KAFKA, MONGO, OpsSettings, load
from shared.dead_letters.reader import Report
from shared.dead_letters.replay import UNLESS_AGAIN, Replay, Tally
from shared.dead_letters.scan import Scan, scan
from shared.dead_letters.selection import Selection
from shared.kafka.errors import KafkaUnavailable


def replay(program: Program, chosen: Selection, *, again: bool, dry_run: bool, yes: bool, json: bool) -> None:
    """Replay the chosen dead letters; ask first, on a terminal, if those are all."""
    settings = load(program, KAFKA, MONGO, kind=OpsSettings)
    topics = settings.topics
    with numbers.translate_errors(), progress("reading", None) as advance:
        found = asyncio.run(scan(settings.kafka, topics.dead_letter, chosen, reporting(advance)))
    if chosen.is_everything and not (yes or dry_run):
        _confirm(found.selected)
    run = Replay(settings.kafka, topics, chosen, again=again, dry=dry_run)
    with progress("sending back", found.total) as advance:
        tally = asyncio.run(_run(run, program, settings, found, reporting(advance)))
    if json:
        print_json(_described(tally, dry_run=dry_run))
    else:
        _print_tally(tally, "would be sent back" if dry_run else "sent back")
    if tally.refused:
        raise click.exceptions.Exit(FAILED)


async def _run(run: Replay, program: Program, settings: OpsSettings, found: Scan, report: Report) -> Tally:
    """Run the replay.

    Raises:
        CommandError: Kafka or MongoDB does not answer, or Ctrl-C; names how many were sent back.
    """
    try:
        async with program.opening(settings) as opened:
            with database.translate_errors(settings), numbers.translate_errors():
                return await run.run(opened.store, found, report)
    except asyncio.CancelledError:
        raise CommandError(f"interrupted; {_account(run.tally)}", INTERRUPTED) from None
    except (CommandError, KafkaUnavailable) as error:
        raise CommandError(f"{error}; {_account(run.tally)}", getattr(error, "code", FAILED)) from error


def _account(tally: Tally) -> str:
    return (
        f"{tally.sent} dead letters were sent back, perhaps more; run the replay again: an event that arrives twice "
        "counts once"
    )


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
            print_error(f"{group.count} {what} ({', '.join(group.first)}{more}): {_hinted(why)}")
    left, refused = (sum(group.count for group in groups.values()) for groups in (tally.skipped, tally.refused))
    print_result(f"{tally.sent} {done}, {left} left out, {refused} refused")


def _described(tally: Tally, *, dry_run: bool) -> dict[str, object]:
    groups = {"left_out": tally.skipped, "refused": tally.refused}
    return {
        "sent": tally.sent,
        "dry_run": dry_run,
        **{
            name: [{"why": _hinted(why), "count": group.count, "first": group.first} for why, group in found.items()]
            for name, found in groups.items()
        },
    }


def _hinted(why: str) -> str:
    return f"{why}; --again replays it" if why in UNLESS_AGAIN else why


def reporting(advance: Advance) -> Report:
    """Return a report that shows how many dead letters were read."""
    return lambda read: advance(read, f"{read} dead letters")
