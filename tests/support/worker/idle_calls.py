"""A worker in memory and a closer beside it, driven by hand."""

import itertools
from collections import Counter
from collections.abc import Collection

import orjson

from services.worker.maintenance.commit_barrier import MemoryCommitBarrier
from services.worker.maintenance.idle_calls import IdleCallTimeout, Round
from services.worker.maintenance.telephony import MemoryInferredEnds
from shared.config.policies import Policies
from shared.store.memory.calls import MemoryStore
from tests.support.events.makers import STARTED, Json
from tests.support.worker.memory_worker import PARTITIONS, Clock, MemoryWorker, received

MINUTE, HOUR, DAY = 60, 3_600, 86_400
SLACK = 5 * MINUTE


class Desk:
    """A worker in memory and a closer beside it; what arrives arrives now, by the closer's clock."""

    def __init__(
        self,
        policies: Policies | None = None,
        owned: Collection[int] = range(PARTITIONS),
        memory: MemoryStore | None = None,
        telephony: MemoryInferredEnds | None = None,
    ) -> None:
        self.worker = MemoryWorker(memory=memory or MemoryStore())
        self.clock, self.commit_barrier = Clock(STARTED), MemoryCommitBarrier()
        self.telephony = telephony or MemoryInferredEnds()
        self._policies, self._owned = policies or Policies(), owned
        self._offsets = itertools.count()
        self.idle_calls = self.another()

    def another(self) -> IdleCallTimeout:
        """Return one more closer of the same calls."""
        return IdleCallTimeout(
            self.worker.memory,
            self.telephony,
            self.commit_barrier,
            self._policies,
            lambda: self._owned,
            clock=self.clock,
        )

    async def hear(self, *bodies: Json) -> None:
        await self.worker.bring(
            [received(body, offset=next(self._offsets), timestamp=self.clock.now) for body in bodies]
        )

    async def close(self, after: float = 0, idle_calls: IdleCallTimeout | None = None) -> Round:
        """Let so many seconds pass; set up a fence, and close what was silent by then."""
        self.clock.move(after)
        idle_calls = idle_calls or self.idle_calls
        first, second = await idle_calls.step(), await idle_calls.step()
        return Round(first.closed + second.closed, first.marked + second.marked)

    async def settle(self) -> list[Json]:
        """Let the worker write and fold what the closer has published; return it."""
        ends = [orjson.loads(end.body) for end in self.telephony.published]
        self.telephony.published.clear()
        await self.hear(*ends)
        await self.worker.rest()
        return ends


def closed(**by_status: int) -> Round:
    return Round(Counter(by_status))
