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
    lacking = [f"{each.topic}-{each.partition}" for each in partitions if not each.complete]
    sets = not dry_run and (incomplete or not lacking)
    if not json:
        cells = [[getattr(each, name) for name in _COLUMNS[:-1]] + [_words(each)] for each in partitions]
        print_table(_COLUMNS, cells, _COLUMNS[1:-1])
    if sets:
        asyncio.run(commit(settings, partitions))
    if json:
        print_json(_json(partitions, settings.group, since) | {"set": sets})
    elif sets:
        print_result(f"set: start the workers; the records are right when `callfold lag` is 0 ({settings.group})")
    if lacking and not incomplete:
        raise CommandError(f"no longer complete, so nothing is set without --incomplete: {', '.join(lacking)}")


def _json(partitions: Sequence[PartitionRewind], group: str, since: int | None) -> dict[str, object]:
    rows = [asdict(each) | {"records": each.records} for each in partitions]
    return {"group": group, "since": None if since is None else rfc3339(since), "partitions": rows}


def _words(each: PartitionRewind) -> str:
    return "yes" if each.complete else "no"
