"""The last resort against a worker that lives without working: it ends the process, which loses nothing.

Faust can hang after a crash, when it waits for a commit that nobody will make any more, and a loop that is blocked
answers nobody. Whatever was not committed is delivered again to whoever owns the partition then.
"""

import asyncio
import os
import sys
import threading
import time
from collections.abc import Callable

from shared.process.logs import logger

log = logger(__name__)

EXIT_HUNG = 70
EXIT_DONE = 0
_FAREWELL_SECONDS = 3.0
_LOOK_SECONDS = 0.5


def end_process(code: int) -> None:
    """End at once: no finalizer runs, so that nothing is acknowledged on the way out."""
    sys.stderr.flush()
    os._exit(code)


class Watchdog(threading.Thread):
    """A thread that ends the process when it stops for too long, or when its loop does not turn for too long."""

    def __init__(self, stopping: Callable[[], bool], *, grace_seconds: float, blocked_seconds: float) -> None:
        super().__init__(name="watchdog", daemon=True)
        self._stopping = stopping
        self._grace_seconds = grace_seconds
        self._blocked_seconds = blocked_seconds
        # None until the loop has turned once: a start may wait for Kafka for as long as it takes.
        self._turned: float | None = None
        self._stopping_since: float | None = None
        self._finished_at: float | None = None

    async def finished(self) -> None:
        """Take in that all is written and committed: what is left is to take leave of the group.

        A worker that was still joining would wait for the others' rebalance to end first, for up to a session.
        """
        self._finished_at = time.monotonic()

    async def feed(self) -> None:
        """Tell, from the loop, that it turns."""
        while True:
            self._turned = time.monotonic()
            await asyncio.sleep(_LOOK_SECONDS)

    def run(self) -> None:
        """Look, until the process ends."""
        while True:
            time.sleep(_LOOK_SECONDS)
            now = time.monotonic()
            if self._finished_at is not None and now - self._finished_at > _FAREWELL_SECONDS:
                end_process(EXIT_DONE)
            why = self.verdict(now)
            if why is not None:
                log.error("ending_process", why=why)
                end_process(EXIT_HUNG)

    def verdict(self, now: float) -> str | None:
        """Return why the process must end now, or None; `now` is of the monotonic clock."""
        if self._stopping():
            self._stopping_since = now if self._stopping_since is None else self._stopping_since
            if now - self._stopping_since > self._grace_seconds:
                return "it does not stop"
        if self._turned is not None and now - self._turned > self._blocked_seconds:
            return "its loop is blocked"
        return None
