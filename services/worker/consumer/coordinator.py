"""Whether Kafka answers: aiokafka retries by itself for ever, and reports it to nobody."""

import asyncio
from collections.abc import Callable

from shared.process.dependencies import DependencyStatus

_CHECK_SECONDS = 1.0


class CoordinatorWatch:
    """Reports when the group's coordinator cannot be reached; `answers` returns whether it can be now."""

    def __init__(self, answers: Callable[[], bool]) -> None:
        self._answers = answers
        self._status = DependencyStatus("kafka")

    async def run(self) -> None:
        while True:
            self.check()
            await asyncio.sleep(_CHECK_SECONDS)

    def check(self) -> None:
        if self._answers():
            self._status.recovered()
        else:
            self._status.unavailable("the group's coordinator does not answer")
