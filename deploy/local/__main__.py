"""The stack on this machine: `python -m deploy.local up`."""

import logging
import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from deploy.demo.demo import demo as run_demo
from deploy.local.credentials.console_account import NAME, PASSWORD
from deploy.local.errors import LocalError
from deploy.local.interrupts import interrupt_on_every_signal
from deploy.local.ports import Ports
from deploy.local.servers.install import install as install_kafka
from deploy.local.servers.prometheus import HOW_TO_GET
from deploy.local.stack import Stack
from deploy.local.status import orphans
from deploy.local.status import status as status_of

NOT_ALL_RUN = 3
"""Exit status of `status` if a service is not running, as for init scripts (Linux Standard Base)."""

State = Annotated[Path, typer.Option("--state", help="Folder of data, logs, secrets and settings.", file_okay=False)]
STATE = Path(".local")

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    help="Kafka, MongoDB, the API, the worker, the monitor and the console on this machine, without containers.",
)


@app.command(epilog="Example: CALLFOLD_API_PORT=8181 python -m deploy.local up")
def up(state: State = STATE) -> None:
    """Start the stack in the background and wait until it is ready. Running it again is safe.

    The ports are CALLFOLD_KAFKA_PORT (9092), CALLFOLD_MONGO_PORT (27017), CALLFOLD_API_PORT (8080),
    CALLFOLD_METRICS_PORT (6066), CALLFOLD_MONITOR_PORT (6067) and CALLFOLD_CONSOLE_PORT (8081), all on 127.0.0.1.
    Prometheus is part of it where it is installed, on CALLFOLD_PROMETHEUS_PORT (9090).
    """
    wanted = Ports.from_environment(os.environ)
    for warning in wanted.warnings():
        typer.echo(warning, err=True)
    stack = Stack(state, wanted, prometheus=True)
    stack.start(typer.echo)
    if stack.ports != wanted:
        typer.echo("It keeps the ports of its first start. To change them, run `make down` and then `make up`.")
    typer.echo("The stack is up:")
    for member in stack.members():
        typer.echo(f"  {member.title:<10} {member.address}")
    typer.echo(f"  {'':<10} log in to the console as {NAME}; the password is in {stack.console / PASSWORD}")
    typer.echo(f"  {'Logs':<10} {stack.supervision.logs}\n  {'Settings':<10} {stack.dotenv}")
    if not stack.watched:
        typer.echo(HOW_TO_GET)


@app.command(epilog="Example: python -m deploy.local down --state /tmp/stack")
def down(state: State = STATE) -> None:
    """Stop the stack, the servers last. Data stay. Processes that a killed supervisord left are ended too."""
    stopped = Stack(state, Ports(), prometheus=True).stop(typer.echo)
    typer.echo("The stack is down" if stopped else "Nothing was running")


@app.command(epilog="Example: python -m deploy.local status || python -m deploy.local up")
def status(state: State = STATE) -> None:
    """Show a line for each service. The exit status is 0 if all run, 3 if not."""
    stack = Stack(state, Ports.from_environment(os.environ), prometheus=True)
    lines = status_of(stack)
    for line in lines:
        typer.echo(str(line))
    if left := orphans(stack):
        typer.echo(f"An earlier run left processes behind: {', '.join(map(str, left))}. Run `make down` to end them.")
    if not all(line.runs for line in lines):
        raise typer.Exit(NOT_ALL_RUN)


@app.command(epilog="Example: python -m deploy.local install")
def install() -> None:
    """Download Kafka with Maven, unless it is installed."""
    install_kafka(typer.echo)


@app.command(epilog="Example: python -m deploy.local demo --keep")
def demo(*, keep: Annotated[bool, typer.Option("--keep", help="Leave the stack up to look at.")] = False) -> None:
    """Start the stack on free ports, publish calls, read them, and stop the stack."""
    run_demo(typer.echo, keep=keep)


def main() -> None:
    """Run the command; print an error that the user can fix without a traceback."""
    interrupt_on_every_signal()
    # While a broker starts, its client reports each failed attempt as an error.
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    try:
        app(prog_name="python -m deploy.local")
    except LocalError as error:
        typer.echo(str(error), err=True)
        sys.exit(1)
    except OSError as error:
        if error.filename is None:
            raise
        typer.echo(f"{error.filename} cannot be used: {error.strerror}.", err=True)
        sys.exit(1)


if __name__ == "__main__":
    main()
