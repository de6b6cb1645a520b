"""Wait until a server is ready or has ended."""

import time
from collections.abc import Callable
from pathlib import Path

from deploy.local.errors import NotReadyError

PAUSE = 0.1
"""Seconds between two checks."""


def wait_until_ready(
    name: str,
    log: Path,
    *,
    lacks: Callable[[], str | None],
    ended: Callable[[], str | None],
    timeout: float,
) -> float:
    """Return the seconds that it took until the server was ready.

    `lacks` returns why the server is not ready, `ended` how its process ended; None if it is, or runs.

    Raises:
        NotReadyError: it ended, or was not ready within `timeout` seconds.
    """
    began = time.monotonic()
    while (missing := lacks()) is not None:
        if (end := ended()) is not None:
            raise NotReadyError(name, end, log)
        if time.monotonic() - began > timeout:
            raise NotReadyError(name, f"was not ready within {timeout:.0f} s: {missing}.", log)
        time.sleep(PAUSE)
    return time.monotonic() - began
