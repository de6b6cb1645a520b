"""`callfold rewind`."""

import asyncio
from collections.abc import Sequence
from dataclasses import asdict

from services.ops.console import print_json, print_result, print_table
from services.ops.errors import CommandError
from services.ops.program import Program
from services.ops.rewind import PartitionRewind, commit, plan
from services.ops.settings import KAFKA, OpsSettings, load
from shared.contract.timestamps import rfc3339

_COLUMNS = ("topic", "partition", "earliest", "committed", "target", "records", "complete")


def rewind(program: Program, since: int | None, *, incomplete: bool, dry_run: bool, json: bool) -> None:
    """Show where the group would continue, and set it; `since` is Unix milliseconds, None for the beginning."""
    settings = load(program, KAFKA, kind=OpsSettings)
    partitions = asyncio.run(plan(settings, since))
    _print(partitions, settings.group, since, json=json)
    lacking = [f"{each.topic}-{each.partition}" for each in partitions if not each.complete]
    if lacking and not incomplete:
        raise CommandError(f"no longer complete, so nothing is set without --incomplete: {', '.join(lacking)}")
    if not dry_run:
        asyncio.run(commit(settings, partitions))
        if not json:
            print_result(f"set: start the workers; the records are right when `callfold lag` is 0 ({settings.group})")


def _print(partitions: Sequence[PartitionRewind], group: str, since: int | None, *, json: bool) -> None:
    if json:
        rows = [asdict(each) | {"records": each.records} for each in partitions]
        print_json({"group": group, "since": None if since is None else rfc3339(since), "partitions": rows})
    else:
        cells = [[getattr(each, name) for name in _COLUMNS[:-1]] + [_words(each)] for each in partitions]
        print_table(_COLUMNS, cells, _COLUMNS[1:-1])


def _words(each: PartitionRewind) -> str:
    return "yes" if each.complete else "no"
