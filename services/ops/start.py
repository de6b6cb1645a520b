"""Loads the command, which takes a while, without a traceback at Ctrl-C."""

import os
import signal
from importlib import import_module

from services.ops.errors import INTERRUPTED


def main() -> None:
    """Load the command, then run it."""
    before = signal.getsignal(signal.SIGINT)
    if before is signal.default_int_handler:  # not if it is ignored
        signal.signal(signal.SIGINT, _exit)
    command = import_module("services.ops.__main__")
    signal.signal(signal.SIGINT, before)
    command.main()


def _exit(_number: int, _frame: object) -> None:
    # Not by an exception: a module that is being imported could catch it.
    os._exit(INTERRUPTED)
