"""`callfold rewind`."""

import asyncio
from collections.abc import Sequence
from dataclasses import asdict
from typing import Annotated

import typer

from services.ops.commands.arguments import moment
from services.ops.console import print_json, print_result, print_table
from services.ops.errors import USAGE, CommandError
from services.ops.rewind import PartitionRewind
from services.ops.rewind import plan as make_plan
from services.ops.rewind import rewind as commit
from services.ops.settings import OpsSettings
from shared.contract.timestamps import rfc3339

app = typer.Typer()

To = Annotated[
    int | None,
    typer.Option(
        "--to", metavar="TIME", parser=moment, help="When the backup was begun: RFC 3339, or how long ago, like 24h"
    ),
]
ToBeginning = Annotated[bool, typer.Option("--to-beginning", help="To the first record that the topics still hold")]
Margin = Annotated[
    float,
    typer.Option(min=0, metavar="MINUTES", help="So much earlier: as far as workers were behind when it was begun"),
]
Incomplete = Annotated[
    bool, typer.Option("--incomplete", help="Also where a partition no longer holds all events since then")
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Show what would be set, and set nothing")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON, for programs")]

_COLUMNS = ("topic", "partition", "earliest", "committed", "target", "records", "complete")


@app.command(epilog="Example: callfold rewind --to 2026-11-22T03:00:00Z --dry-run")
def rewind(
    *,
    to: To = None,
    to_beginning: ToBeginning = False,
    margin: Margin = 60.0,
    incomplete: Incomplete = False,
    dry_run: DryRun = False,
    json: Json = False,
) -> None:
    """Let stopped workers read again what arrived since a time, as after MongoDB was restored from a backup.

    Events that the log has are not counted twice. `complete` is whether a partition still holds all events since then;
    where one does not, nothing is set without --incomplete. docs/runbooks.md has the whole procedure.
    """
    if (to is None) is not to_beginning:
        raise CommandError("give either --to or --to-beginning", USAGE)
    settings = OpsSettings.load()
    since = None if to is None else int(to - margin * 60_000)
    partitions = asyncio.run(make_plan(settings, since))
    _print(partitions, settings.group, since, as_json=json)
    lacking = [f"{each.topic}-{each.partition}" for each in partitions if not each.complete]
    if lacking and not incomplete:
        raise CommandError(f"no longer complete, so nothing is set without --incomplete: {', '.join(lacking)}")
    if not dry_run:
        asyncio.run(commit(settings, partitions))
        if not json:
            print_result(f"set: start the workers; the records are right when `callfold lag` is 0 ({settings.group})")


def _print(partitions: Sequence[PartitionRewind], group: str, since: int | None, *, as_json: bool) -> None:
    if as_json:
        rows = [asdict(each) | {"records": each.records} for each in partitions]
        print_json({"group": group, "since": None if since is None else rfc3339(since), "partitions": rows})
    else:
        cells = [[getattr(each, name) for name in _COLUMNS[:-1]] + [_words(each)] for each in partitions]
        print_table(_COLUMNS, cells, _COLUMNS[1:-1])


def _words(each: PartitionRewind) -> str:
    return "yes" if each.complete else "no"
