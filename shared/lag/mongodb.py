"""How MongoDB answers: the time of a small write of the reader's own, which disturbs nobody."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic

from shared.lag.history import SLOW_WRITE_SECONDS
from shared.lag.models import Health
from shared.store.ports import AccessRefused, StoreUnavailable, WriteProbe

LIMIT_SECONDS = 3.5
"""MongoDB is unavailable if a write takes longer: with the second between two writes it is noticed within 5 s."""


@dataclass(frozen=True, slots=True)
class Write:
    """How the last write went: its time in seconds, None where it did not succeed; `error` is why."""

    health: Health = Health.UNKNOWN
    seconds: float | None = None
    error: str | None = None

    @property
    def hidden(self) -> str | None:
        """What cannot be known without a right, None if it is known."""
        return f"how fast MongoDB writes: {self.error}" if self.error and self.health is Health.UNKNOWN else None


async def timed_write(probe: WriteProbe, clock: Callable[[], float] = monotonic) -> Write:
    """Write once, within `LIMIT_SECONDS`; raises nothing that a store raises."""
    begun = clock()
    try:
        async with asyncio.timeout(LIMIT_SECONDS):
            await probe.write()
    except AccessRefused as error:
        return Write(error=str(error))
    except (StoreUnavailable, TimeoutError) as error:
        return Write(Health.UNAVAILABLE, error=str(error) or "no answer in time")
    seconds = clock() - begun
    return Write(Health.SLOW if seconds >= SLOW_WRITE_SECONDS else Health.WELL, seconds)
