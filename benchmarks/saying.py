"""Progress, on standard error: results alone go to standard output."""

import sys
import time
from collections.abc import Callable
from contextvars import ContextVar

LEFT: ContextVar[Callable[[], float | None]] = ContextVar("LEFT", default=lambda: None)
"""Tells how many seconds are left, where somebody knows."""

_BEGAN = time.monotonic()


def say(line: str) -> None:
    """Print a line with the time since the start, and with what is left if that is known."""
    left = LEFT.get()()
    about = "" if left is None else f" (about {left / 60:.0f} min left)"
    print(f"{time.monotonic() - _BEGAN:6.0f} s{about}  {line}", file=sys.stderr, flush=True)  # noqa: T201
