"""The last resort against a worker that hangs: the process ends, which loses nothing.

Faust can hang after a crash, waiting for a commit that never comes, and a blocked event loop answers nobody. What is
not committed is delivered again to the next owner of the partition.
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
_LEAVE_SECONDS = 3.0
_CHECK_SECONDS = 0.5


def end_process(code: int) -> None:
    """End at once, without finalizers, so that nothing is acknowledged on the way out."""
    sys.stderr.flush()
    os._exit(code)


class Watchdog(threading.Thread):
    """A thread that ends the process when its stop takes too long, or when its event loop is blocked for too long."""

    def __init__(self, stopping: Callable[[], bool], *, grace_seconds: float, blocked_seconds: float) -> None:
        super().__init__(name="watchdog", daemon=True)
        self._stopping = stopping
        self._grace_seconds = grace_seconds
        self._blocked_seconds = blocked_seconds
        # None until the loop has run once: a start waits for Kafka without a limit.
        self._fed_at: float | None = None
        self._stopping_since: float | None = None
        self._finished_at: float | None = None

    async def finished(self) -> None:
        """Record that all is written and committed: only leaving the group is left.

        A worker that is still joining would first wait for the end of the rebalance, up to the session timeout.
        """
        self._finished_at = time.monotonic()

    async def feed(self) -> None:
        """Report, from the event loop, that it is not blocked."""
        while True:
            self._fed_at = time.monotonic()
            await asyncio.sleep(_CHECK_SECONDS)

    def run(self) -> None:
        while True:
            time.sleep(_CHECK_SECONDS)
            now = time.monotonic()
            if self._finished_at is not None and now - self._finished_at > _LEAVE_SECONDS:
                end_process(EXIT_DONE)
            reason = self.verdict(now)
            if reason is not None:
                log.error("process_ended", reason=reason)
                end_process(EXIT_HUNG)

    def verdict(self, now: float) -> str | None:
        """Return why the process must end now, or None; `now` is a time of the monotonic clock."""
        if self._stopping():
            self._stopping_since = now if self._stopping_since is None else self._stopping_since
            if now - self._stopping_since > self._grace_seconds:
                return "its stop takes too long"
        if self._fed_at is not None and now - self._fed_at > self._blocked_seconds:
            return "its event loop is blocked"
        return None
