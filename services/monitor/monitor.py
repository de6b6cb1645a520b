"""The loop of the monitor: each second it reads, judges and publishes."""

import asyncio
import time
from collections.abc import Callable
from typing import Protocol

from services.monitor import metrics
from shared.lag.history import History
from shared.lag.judge import judge
from shared.lag.models import Lag, Reading
from shared.process.logs import logger

log = logger(__name__)

_SECONDS = 1.0
_STANDS_STILL_SECONDS = 15.0
_FRESH_SECONDS = 5.0


class Reader(Protocol):
    """What reads: `requests` counts its requests to brokers, `error` is why Kafka could not be read the last time."""

    @property
    def requests(self) -> int: ...

    @property
    def error(self) -> str | None: ...

    async def read(self) -> Reading:
        """Return what is known now."""


class Monitor:
    """Reads and judges the lag of a group, each second; `lag` is what it found last, None before the first reading."""

    def __init__(self, group: str, reader: Reader, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.lag: Lag | None = None
        self._group = group
        self._reader = reader
        self._history = History()
        self._clock = clock
        self._progress_at = clock()
        self._read_at: float | None = None

    @property
    def alive(self) -> bool:
        """Whether the loop makes progress, whatever it finds."""
        return self._clock() - self._progress_at <= _STANDS_STILL_SECONDS

    @property
    def ready(self) -> bool:
        """Whether what it found last is of now, also where that is that Kafka does not answer."""
        return self._read_at is not None and self._clock() - self._read_at <= _FRESH_SECONDS

    @property
    def partitions(self) -> int:
        """How many each input topic has, 0 while that is not known."""
        return 0 if self.lag is None else len({each.partition for each in self.lag.partitions})

    async def run(self) -> None:
        """Read each second, until cancelled."""
        next_at = self._clock()
        while True:
            await self.look()
            next_at = max(next_at + _SECONDS, self._clock())
            await asyncio.sleep(next_at - self._clock())

    async def look(self) -> None:
        """Read once, judge, and publish."""
        try:
            self._history.add(await self._reader.read())
            self.lag = judge(self._group, self._history)
            metrics.publish(self.lag, self._reader.requests)
            self._read_at = self._clock()
        except Exception:
            log.exception("reading_failed")
        self._progress_at = self._clock()
