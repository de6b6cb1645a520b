"""Waiting until something is ready, or until it is clear that it will not be."""

import time
from collections.abc import Callable
from pathlib import Path

from deploy.local.errors import NotReadyError

PAUSE = 0.1
"""Seconds between two looks: a server takes seconds to start, a look takes milliseconds."""


def wait_until_ready(
    name: str,
    log: Path,
    *,
    lacks: Callable[[], str | None],
    ended: Callable[[], str | None],
    timeout: float,
) -> float:
    """Return the seconds that it took until `lacks` had nothing to say any more.

    `lacks` says what is still missing, `ended` how the process ended; both None when there is nothing to say.

    Raises:
        NotReadyError: it ended, or still lacked something after `timeout` seconds.
    """
    began = time.monotonic()
    while (missing := lacks()) is not None:
        if (end := ended()) is not None:
            raise NotReadyError(name, end, log)
        if time.monotonic() - began > timeout:
            raise NotReadyError(name, f"was not ready within {timeout:.0f} s: {missing}.", log)
        time.sleep(PAUSE)
    return time.monotonic() - began
