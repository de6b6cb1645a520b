"""`callfold publish` and `callfold validate`."""

import asyncio
from typing import Annotated

import typer

from services.ops.console import Advance, print_error, print_result, progress
from services.ops.errors import FAILED
from services.ops.events.lines import Line, Source, opened
from services.ops.events.publishing import publish as publish_source
from services.ops.events.validate_lines import Refuse, Report, Tally
from services.ops.events.validate_lines import validate as validate_source
from services.ops.settings import OpsSettings
from shared.contract.decode_event import InvalidEvent

app = typer.Typer()

File = Annotated[str, typer.Argument(metavar="FILE", help="JSON Lines with one CloudEvent each; - is standard input")]


@app.command(epilog="Example: callfold publish events.jsonl")
def publish(file: File) -> None:
    """Publish the events of a file to the topics of their types, until Kafka has acknowledged them.

    A line that is not a valid event is reported with its number and reason, and the others are published.
    """
    settings = OpsSettings.load()
    with opened(file) as source, progress("publishing", source.size) as advance:
        tally = asyncio.run(publish_source(source, settings, _refusing(source), _reporting(advance)))
    _print_tally(tally, "published")


@app.command(epilog="Example: callfold validate events.jsonl")
def validate(file: File) -> None:
    """Check the events of a file as `publish` does, without publishing them."""
    with opened(file) as source, progress("checking", source.size) as advance:
        tally = asyncio.run(validate_source(source, _refusing(source), _reporting(advance)))
    _print_tally(tally, "valid")


def _refusing(source: Source) -> Refuse:
    def refuse(line: Line, why: InvalidEvent) -> None:
        print_error(f"{source.name}:{line.number}: {why.reason}: {why.detail}")

    return refuse


def _reporting(advance: Advance) -> Report:
    return lambda tally: advance(tally.bytes_read, f"{tally.valid} events")


def _print_tally(tally: Tally, done: str) -> None:
    print_result(f"{tally.valid} {done}, {tally.refused} refused")
    if tally.unknown:
        print_error(
            f"types unknown to the contract, which only appear in the timeline: {', '.join(sorted(tally.unknown))}"
        )
    if tally.refused:
        raise typer.Exit(FAILED)
