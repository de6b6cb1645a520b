"""Whether what the worker does goes on: its liveness.

A restart helps a loop that stands still by itself. It does not help one that waits for Kafka or MongoDB, nor one that
is behind: neither counts here.
"""

import time
from collections.abc import Callable

from shared.process.dependencies import any_unavailable

_OPERATIONS = 6
"""At most so many operations of MongoDB stand between two steps of a loop."""
_WORK_SECONDS = 60.0


def longest_step(operation_seconds: float) -> float:
    """Return for how many seconds a loop may take no step while each operation ends within its time limit."""
    return _WORK_SECONDS + _OPERATIONS * operation_seconds


class Progress:
    """When each loop that has work took its last step; `clock` gives seconds."""

    def __init__(
        self,
        longest: float,
        *,
        unavailable: Callable[[], bool] = any_unavailable,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._longest = longest
        self._unavailable = unavailable
        self._clock = clock
        self._stepped: dict[str, float] = {}
        self._waited_until = 0.0

    def step(self, loop: str) -> None:
        """Record that a loop goes on."""
        self._stepped[loop] = self._clock()

    def rest(self, loop: str) -> None:
        """Record that a loop has nothing to do, for however long."""
        self._stepped.pop(loop, None)

    def standing_still(self) -> str | None:
        """Return a loop that has taken no step for too long, None if there is none."""
        now = self._clock()
        if self._unavailable():
            self._waited_until = now
        return next(
            (loop for loop, at in self._stepped.items() if now - max(at, self._waited_until) > self._longest), None
        )
