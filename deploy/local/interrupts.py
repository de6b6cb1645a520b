"""Ctrl-C and similar signals: they interrupt a start, but not the cleaning up."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Ignore all signals but SIGKILL inside: a second Ctrl-C would leave half of the stack running."""
    if threading.current_thread() is not threading.main_thread():  # only the main thread may set handlers
        yield
        return
    before = {each: signal.signal(each, signal.SIG_IGN) for each in SIGNALS}
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


def interrupt_on_every_signal(*, in_the_background: bool = False) -> None:
    """Treat a closed terminal and `kill` like Ctrl-C, unless they are ignored (`nohup`).

    A script lets its jobs in the background ignore Ctrl-C: with `in_the_background` they do not.
    """
    for each in SIGNALS:
        ignored = signal.getsignal(each) is signal.SIG_IGN
        if not ignored or (in_the_background and each is signal.SIGINT):
            signal.signal(each, signal.default_int_handler)
