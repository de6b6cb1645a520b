"""The loop of the monitor: each second it reads, judges and publishes."""

import asyncio
import time
from collections.abc import Callable
from typing import Protocol

from services.monitor import metrics
from services.monitor.lag_metrics import LagMetrics
from shared.lag.history import History
from shared.lag.judge import judge
from shared.lag.models import Health, Lag, Reading
from shared.lag.mongodb import Write, timed_write
from shared.process.dependencies import DependencyStatus
from shared.process.logs import logger
from shared.process.repeated import repeated
from shared.store.ports import WriteProbe

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
    """Reads and judges the lag of a group, each second.

    `lag` is what it found last, None before the first reading and after one that failed by an internal error.
    """

    def __init__(
        self, group: str, reader: Reader, probe: WriteProbe, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.lag: Lag | None = None
        self._group = group
        self._reader = reader
        self._probe = probe
        self._requests = 0
        self._write = Write()
        self._history = History()
        self._metrics = LagMetrics()
        self._kafka, self._mongodb = DependencyStatus("kafka"), DependencyStatus("mongodb")
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
        # On its own, so that MongoDB never delays what is known of Kafka.
        async with repeated(self.probe, _SECONDS):
            while True:
                await self.look()
                next_at = max(next_at + _SECONDS, self._clock())
                await asyncio.sleep(next_at - self._clock())

    def withdraw(self) -> None:
        """Take back what was reported of the dependencies."""
        self._kafka.withdraw()
        self._mongodb.withdraw()

    async def look(self) -> None:
        """Read once, judge, and publish."""
        try:
            read = await self._reader.read()
            reading = self._write.added_to(read)
            _report(self._kafka, reading.kafka, self._reader.error)
            self._history.add(reading)
            self.lag = judge(self._group, self._history)
            self._metrics.show(self.lag)
            self._count_requests()
            metrics.LAST_READING.set(reading.at)
            self._read_at = self._clock()
        except Exception:
            log.exception("reading_failed")
            # What was found before may be wrong by now.
            self.lag = None
            self._metrics.show_unknown()
        self._progress_at = self._clock()

    async def probe(self) -> None:
        """Write once to MongoDB, and remember how that went."""
        self._write = await timed_write(self._probe, self._write)
        _report(self._mongodb, self._write.health, self._write.error)
        if self._write.seconds is not None:
            metrics.MONGODB_WRITE_SECONDS.observe(self._write.seconds)

    def _count_requests(self) -> None:
        requests = self._reader.requests
        metrics.KAFKA_REQUESTS.inc(requests - self._requests)
        self._requests = requests


def _report(status: DependencyStatus, health: Health, error: str | None) -> None:
    match health:
        case Health.UNAVAILABLE:
            status.unavailable(error or "no answer")
        case Health.UNKNOWN:
            status.withdraw()
        case _:
            status.recovered()
