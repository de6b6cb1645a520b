"""Drills: `python -m deploy.drills start worker-frozen`."""

import logging
import random
import signal
import sys
import time
from contextlib import ExitStack, suppress
from typing import Annotated

import typer

from deploy.drills.catalogue import DRILLS, Drill
from deploy.drills.guide import guide, listing
from deploy.drills.rehearsal import rehearse, rows, watch_of
from deploy.drills.scene import scene
from deploy.local.errors import LocalError
from deploy.local.interrupts import interrupt_on_every_signal, uninterrupted

_HEALTHY_SECONDS = 20.0
"""Before the fault, so that what is healthy has been seen too."""
_ANY = ("?", "any")

app = typer.Typer(
    add_completion=False,
    help="A stack of its own, under load, with a fault: find its cause with the tools of a night.",
)


@app.callback(invoke_without_command=True)
def explain(context: typer.Context) -> None:
    """List the faults, and how to begin."""
    if context.invoked_subcommand is None:
        typer.echo("\n".join(listing()))


@app.command(epilog="Example: python -m deploy.drills start '?'")
def start(fault: Annotated[str, typer.Argument(help="The name of a fault, or `?` for any.")]) -> None:
    """Start the stack, bring the fault, and wait for Ctrl-C."""
    drill = _chosen(fault)
    with ExitStack() as everything:
        on = everything.enter_context(scene(typer.echo))
        typer.echo(f"Under load now. All is well for {_HEALTHY_SECONDS:.0f} seconds")
        time.sleep(_HEALTHY_SECONDS)
        everything.enter_context((drill.for_a_person or drill.fault)(on))
        typer.echo("\n".join(guide(on.stack)))
        _wait_for_interrupt()
        with uninterrupted():
            typer.echo(f"\nIt was {drill.name}: {drill.title}.\n{drill.was}\nStopping everything")
            everything.close()


@app.command(epilog="Example: python -m deploy.drills table")
def table() -> None:
    """Run all drills, one after the other, and print what was seen of each, as a table of Markdown."""
    with scene(_progress) as on, watch_of(on) as watch:
        for line in rows(rehearse(on, watch, drill, _progress) for drill in DRILLS.values()):
            typer.echo(line)


def _progress(line: str) -> None:
    typer.echo(line, err=True)


def _wait_for_interrupt() -> None:
    with suppress(KeyboardInterrupt):
        while True:
            signal.pause()


def _chosen(name: str) -> Drill:
    if name in _ANY:
        return random.SystemRandom().choice(list(DRILLS.values()))
    if name not in DRILLS:
        raise LocalError(f"There is no fault {name!r}. There are: {', '.join(DRILLS)}, and '?' for any of them.")
    return DRILLS[name]


def main() -> None:
    """Run the command; print an error that the user can fix without a traceback."""
    interrupt_on_every_signal(in_the_background=True)
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # Kafka may be away on purpose
    try:
        app(prog_name="python -m deploy.drills")
    except LocalError as error:
        typer.echo(str(error), err=True)
        sys.exit(1)


if __name__ == "__main__":
    main()
