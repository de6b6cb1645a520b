"""The clocks. The fold has none."""

import time
from collections.abc import Awaitable, Callable

from shared.process.logs import logger

log = logger(__name__)

# It goes on while the machine is suspended; not every system has it.
_STEADY = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
_SLOWEST_READ_MS = 1_000
_FIRST_READINGS = 5
_TOLERATED_MS = 5_000


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def steady_ms() -> int:
    """Return milliseconds since some moment; no change of the system's clock changes them."""
    return time.clock_gettime_ns(_STEADY) // 1_000_000


class ServerClock:
    """The database server's clock, in Unix milliseconds, so that no clock of a worker decides when a call is idle.

    Between two readings it goes on by this machine's steady clock. Before the first it is this machine's own.
    """

    def __init__(
        self,
        read: Callable[[], Awaitable[int]],
        *,
        steady: Callable[[], int] = steady_ms,
        local: Callable[[], int] = now_ms,
        report: Callable[[float], None] = lambda _ahead: None,
    ) -> None:
        """`read` returns what the server's clock shows; `steady` and `local` are this machine's.

        `report` is called at each reading with how many seconds this machine's clock is ahead.
        """
        self._read = read
        self._steady = steady
        self._local = local
        self._report_ahead = report
        self._offset: int | None = None
        self._reported = False

    def __call__(self) -> int:
        return self._local() if self._offset is None else self._steady() + self._offset

    async def sync(self) -> None:
        """Read the server's clock; the error is half of the time that this takes.

        A slow reading is ignored, unless it is the first: then it is repeated.

        Raises:
            StoreUnavailable: the server does not answer; the clock goes on from the last reading.
        """
        for _ in range(_FIRST_READINGS if self._offset is None else 1):
            asked = self._steady()
            server = await self._read()
            took = self._steady() - asked
            if self._offset is None or took <= _SLOWEST_READ_MS:
                self._offset = server - asked - took // 2
            if took <= _SLOWEST_READ_MS:
                break
        self._report(self._local() - self())

    def _report(self, ahead: int) -> None:
        self._report_ahead(ahead / 1000)
        wrong = abs(ahead) > _TOLERATED_MS
        if wrong and not self._reported:
            log.warning("clock_differs", ahead_seconds=ahead / 1000)
        self._reported = wrong
