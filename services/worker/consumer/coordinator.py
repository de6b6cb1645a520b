"""Whether Kafka answers: aiokafka tries again by itself for ever, and tells nobody who is paged."""

import asyncio
from collections.abc import Callable

from shared.process import metrics
from shared.process.logs import logger

log = logger(__name__)

_WHAT = "kafka"
_LOOK_SECONDS = 1.0


class CoordinatorWatch:
    """Says when the group's coordinator cannot be reached, and when it can again; `hears` tells of now."""

    def __init__(self, hears: Callable[[], bool]) -> None:
        self._hears = hears
        self._away = False

    async def run(self) -> None:
        """Look, for ever."""
        while True:
            self.look()
            await asyncio.sleep(_LOOK_SECONDS)

    def look(self) -> None:
        """Say what has changed, once."""
        away = not self._hears()
        if away != self._away:
            self._away = away
            metrics.DEPENDENCY_UNAVAILABLE.labels(_WHAT).set(int(away))
            if away:
                log.warning("dependency_unavailable", dependency=_WHAT, error="the group's coordinator does not answer")
            else:
                log.info("dependency_recovered", dependency=_WHAT)
