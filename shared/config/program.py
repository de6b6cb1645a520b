"""How a service is started: its `--help`, its end by a signal, and in one line where it cannot start."""

import argparse
import signal
import sys
from typing import NoReturn

FAILED = 1
INVALID_SETTINGS = 2


def parse_arguments(module: str, *, does: str, example: str, settings: str) -> None:
    """Answer `--help` of `python -m <module>`; exit with 2 if there is any other argument.

    `example` are the variables of an example, `settings` is `describe` of the settings.
    """
    argparse.ArgumentParser(
        prog=f"python -m {module}",
        description=does,
        epilog=f"Example: {example} python -m {module}\n\n{settings}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    ).parse_args()


def exit_on_signals() -> None:
    """Exit with 0 on SIGTERM and SIGINT. A server that catches them drains first, and raises them again."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _exit)


def _exit(_number: int, _frame: object) -> None:
    raise SystemExit(0)


def fail(status: int, *why: object) -> NoReturn:
    """Exit with this status, and a line on standard error for each reason."""
    for line in why:
        print(line, file=sys.stderr)  # noqa: T201 - for the person who starts it, before logging does
    sys.exit(status)
