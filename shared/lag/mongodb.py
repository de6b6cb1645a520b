"""How MongoDB answers: the time of a small write of the reader's own, which disturbs nobody."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from time import monotonic

from shared.lag.history import SLOW_WRITE_SECONDS
from shared.lag.models import Health, Reading
from shared.process.logs import logger
from shared.store.ports import AccessRefused, StoreUnavailable, WriteProbe

log = logger(__name__)

LIMIT_SECONDS = 3.5
"""MongoDB is unavailable if a write takes longer: with the second between two writes it is noticed within 5 s."""


@dataclass(frozen=True, slots=True)
class Write:
    """How the last write went: its time in seconds, None where it did not succeed (`error` is why) or connected."""

    health: Health = Health.UNKNOWN
    seconds: float | None = None
    error: str | None = None

    def added_to(self, reading: Reading) -> Reading:
        """Return the reading of Kafka with what is known of MongoDB, or why nothing is."""
        without_right = self.error and self.health is Health.UNKNOWN
        hidden = [*reading.hidden, *([f"how fast MongoDB writes: {self.error}"] if without_right else [])]
        return replace(reading, mongodb=self.health, mongodb_write_seconds=self.seconds, hidden=hidden)


async def timed_write(probe: WriteProbe, before: Write, clock: Callable[[], float] = monotonic) -> Write:
    """Write once, within `LIMIT_SECONDS`. Raises nothing: of an internal error nothing is known but that it is one.

    `before` is the write before this one. After one that did not succeed, as at the start, this one connects too, so
    that its time says nothing: it has none.
    """
    begun = clock()
    try:
        async with asyncio.timeout(LIMIT_SECONDS):
            await probe.write()
    except AccessRefused as error:
        return Write(error=str(error))
    except (StoreUnavailable, TimeoutError) as error:
        return Write(Health.UNAVAILABLE, error=str(error) or "no answer in time")
    except Exception:
        log.exception("timed_write_failed")
        return Write()
    if before.health not in {Health.WELL, Health.SLOW}:
        return Write(Health.WELL)
    seconds = clock() - begun
    return Write(Health.SLOW if seconds >= SLOW_WRITE_SECONDS else Health.WELL, seconds)
