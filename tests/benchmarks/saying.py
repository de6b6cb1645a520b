"""Progress, on standard error: results alone go to standard output."""

import sys
import time

_BEGAN = time.monotonic()


def say(line: str) -> None:
    """Print a line with the time since the start."""
    print(f"{time.monotonic() - _BEGAN:6.0f} s  {line}", file=sys.stderr, flush=True)  # noqa: T201
