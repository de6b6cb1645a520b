"""`callfold publish` and `callfold validate`."""

import asyncio
from collections import Counter
from typing import Annotated

import typer

from services.ops.console import Advance, print_error, print_result, progress
from services.ops.errors import FAILED
from services.ops.events.doubts import Doubt
from services.ops.events.lines import Line, Source, opened
from services.ops.events.publishing import publish as publish_source
from services.ops.events.validate_lines import Checking, Refuse, Report
from services.ops.events.validate_lines import validate as validate_source
from services.ops.settings import OpsSettings
from shared.contract.decode_event import InvalidEvent

app = typer.Typer()

File = Annotated[str, typer.Argument(metavar="FILE", help="JSON Lines with one CloudEvent each; - is standard input")]
Strict = Annotated[bool, typer.Option("--strict", help="Exit with 1 if there are warnings")]

_MOST_ALIKE = 100


@app.command(epilog="Example: callfold publish events.jsonl")
def publish(file: File) -> None:
    """Publish the events of a file to the topics of their types, until Kafka has acknowledged them.

    A line that is not a valid event is reported with its number and reason, and the others are published.

    Warnings are only counted: `callfold validate` prints them.
    """
    settings = OpsSettings.load()
    with opened(file) as source, progress("publishing", source.size) as advance:
        checking = Checking(_refusing(source), lambda *_: None)
        tally = asyncio.run(publish_source(source, settings, checking, _reporting(advance)))
    print_result(f"{tally.valid} published, {tally.refused} refused")
    if tally.warnings:
        print_error(f"{tally.warnings} warnings: see callfold validate")
    if tally.refused:
        raise typer.Exit(FAILED)


@app.command(epilog="Example: callfold validate --strict events.jsonl")
def validate(file: File, *, strict: Strict = False) -> None:
    """Check the events of a file as `publish` does, without publishing them.

    Refused is a line that is not a valid event. Warnings name what a valid event loses or probably misspells.

    They are: what cannot be read, a wrong clock, an unknown field, a type that resembles one of the contract.

    And a `source` and `id` that an earlier line of the same call has with another body, among the last million events.

    Of the warnings of one kind and field the first 100 are printed.
    """
    with opened(file) as source, progress("checking", source.size) as advance:
        warnings = _Warnings(source)
        checking = Checking(_refusing(source), warnings.warn)
        tally = asyncio.run(validate_source(source, checking, _reporting(advance)))
    warnings.print_others()
    print_result(f"{tally.valid} valid, {tally.warnings} warnings, {tally.refused} refused")
    if tally.unknown:
        print_error(
            f"types unknown to the contract, which only appear in the timeline: {', '.join(sorted(tally.unknown))}"
        )
    if tally.refused or (strict and tally.warnings):
        raise typer.Exit(FAILED)


class _Warnings:
    """Prints warnings, of those of one kind and field the first ones only: a file may have one on each of its lines."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._counts = Counter[tuple[str, str | None]]()

    def warn(self, line: Line, doubt: Doubt) -> None:
        self._counts[doubt.kind, doubt.field] += 1
        if self._counts[doubt.kind, doubt.field] > _MOST_ALIKE:
            return
        # Most sentences name the field themselves.
        field = f"`data.{doubt.field}`: " if doubt.field and f"data.{doubt.field}" not in doubt.detail else ""
        print_error(f"{self._source.name}:{line.number}: warning: {doubt.kind}: {field}{doubt.detail}")

    def print_others(self) -> None:
        for (kind, field), count in self._counts.items():
            if count > _MOST_ALIKE:
                of = f" of `data.{field}`" if field else ""
                print_error(f"{self._source.name}: {count - _MOST_ALIKE} more warnings: {kind}{of}")


def _refusing(source: Source) -> Refuse:
    def refuse(line: Line, why: InvalidEvent) -> None:
        print_error(f"{source.name}:{line.number}: {why.reason}: {why.detail}")

    return refuse


def _reporting(advance: Advance) -> Report:
    return lambda tally: advance(tally.bytes_read, f"{tally.valid} events")
