"""The command's first moment: what it needs takes a while to load, and Ctrl-C is to be as quiet then as it is later."""

import os
import signal
from importlib import import_module

from services.ops.errors import INTERRUPTED


def main() -> None:
    """Load the command, then run it."""
    before = signal.getsignal(signal.SIGINT)
    if before is signal.default_int_handler:  # not where it is ignored
        signal.signal(signal.SIGINT, _leave)
    command = import_module("services.ops.__main__")
    signal.signal(signal.SIGINT, before)
    command.main()


def _leave(_number: int, _frame: object) -> None:
    # Not by an exception: whatever is being imported could swallow it, or be left half loaded by it.
    os._exit(INTERRUPTED)
