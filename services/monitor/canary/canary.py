"""The canary: a call every few seconds, each followed by a task of its own."""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence

from services.monitor.canary import metrics
from services.monitor.canary.call import CALL_MS, CanaryCall
from services.monitor.canary.call_ids import call_id_on
from services.monitor.canary.run import CanaryReport, CanaryRun, Stage
from shared.process.clock import now_ms
from shared.process.logs import logger

log = logger(__name__)

MOST_CALLS = 8
"""Calls that are followed at a time; while so many are late no other is published."""

MOST_REPORTS = 30


class Canary:
    """Publishes a call of `organization` every `seconds` and follows it; nothing that fails ends it.

    `partitions` returns how many each input topic has, 0 if that is not known: the calls visit them one by one.
    """

    def __init__(self, stage: Stage, organization: str, seconds: float, partitions: Callable[[], int]) -> None:
        self._stage = stage
        self._organization = organization
        self._seconds = seconds
        self._partitions = partitions
        self._reports: deque[CanaryReport] = deque(maxlen=MOST_REPORTS)
        self._followed: set[asyncio.Task[None]] = set()
        self._number = 0

    @property
    def reports(self) -> Sequence[CanaryReport]:
        """The last calls, the newest first."""
        return list(reversed(self._reports))

    async def run(self) -> None:
        """Go on until cancelled; the calls that are followed then are given up."""
        try:
            while True:
                self.publish_another()
                await asyncio.sleep(self._seconds)
        finally:
            for task in self._followed:
                task.cancel()

    def publish_another(self) -> None:
        """Publish another call and follow it, unless too many are followed."""
        if len(self._followed) < MOST_CALLS:
            task = asyncio.create_task(self._follow_another())
            self._followed.add(task)
            task.add_done_callback(self._followed.discard)

    async def _follow_another(self) -> None:
        try:
            self._number += 1
            call_id = call_id_on(self._number, self._partitions())
            run = CanaryRun(CanaryCall(self._organization, call_id, now_ms() - CALL_MS), self._stage)
            self._reports.append(run.report)
            await run.run()
        except Exception:
            metrics.ERRORS.inc()
            log.exception("canary_failed")
