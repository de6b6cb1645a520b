"""Loading what takes a while, without a traceback at Ctrl-C; `main` is the entry of the command."""

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from services.ops.errors import INTERRUPTED


@contextmanager
def loading() -> Iterator[None]:
    """Let Ctrl-C end the process at once while modules are imported: one of them could catch an exception."""
    before = signal.getsignal(signal.SIGINT)
    # Not if the signal is ignored; and only the main thread may set it.
    ours = before is signal.default_int_handler and threading.current_thread() is threading.main_thread()
    if ours:
        signal.signal(signal.SIGINT, _exit)
    try:
        yield
    finally:
        if ours:
            signal.signal(signal.SIGINT, before)


def main() -> None:
    """Load the command, then run it."""
    with loading():
        from services.ops.__main__ import main as command
    command()


def _exit(_number: int, _frame: object) -> None:
    os._exit(INTERRUPTED)
