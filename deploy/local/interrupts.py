"""Ctrl-C and its kin: one way out of a start, and no way out of cleaning up."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Let nothing but SIGKILL stop what is done inside: a second, impatient Ctrl-C would leave half of it running."""
    if threading.current_thread() is not threading.main_thread():  # only the main thread is interrupted, or may say so
        yield
        return
    before = {each: signal.signal(each, signal.SIG_IGN) for each in SIGNALS}
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


def interrupt_on_every_signal() -> None:
    """Make a closed terminal and a plain `kill` do what Ctrl-C does, unless they are ignored (`nohup`)."""
    for each in SIGNALS:
        if signal.getsignal(each) is not signal.SIG_IGN:
            signal.signal(each, signal.default_int_handler)
