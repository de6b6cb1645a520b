"""A worker in memory with its idle-call timeout, driven step by step."""

import itertools
from collections import Counter
from collections.abc import Collection

import orjson

from services.worker.maintenance.idle_calls import IdleCallTimeout, Round
from services.worker.memory import MemoryCommitBarrier, MemoryPublisher
from shared.config.policies import Policies
from shared.store.memory.calls import MemoryStore
from tests.support.events.makers import STARTED, Json
from tests.support.worker.memory_worker import PARTITIONS, TELEPHONY, Clock, MemoryWorker, received

MINUTE, HOUR, DAY = 60, 3_600, 86_400
SLACK = 5 * MINUTE


class IdleCalls:
    """A worker in memory with its idle-call timeout; events arrive now, by the clock of the timeout."""

    def __init__(
        self,
        policies: Policies | None = None,
        owned: Collection[int] = range(PARTITIONS),
        memory: MemoryStore | None = None,
        inferred_ends: MemoryPublisher | None = None,
    ) -> None:
        self.worker = MemoryWorker(memory=memory or MemoryStore())
        self.clock, self.commit_barrier = Clock(STARTED), MemoryCommitBarrier()
        self.inferred_ends = inferred_ends or MemoryPublisher()
        self._policies, self._owned = policies or Policies(), owned
        self._offsets = itertools.count()
        self.timeout = self.another()

    def another(self) -> IdleCallTimeout:
        """Return another idle-call timeout for the same calls."""
        return IdleCallTimeout(
            self.worker.memory,
            self.inferred_ends,
            self.commit_barrier,
            self._policies,
            lambda: self._owned,
            topic=TELEPHONY,
            clock=self.clock,
        )

    async def receive(self, *bodies: Json) -> None:
        await self.worker.bring(
            [received(body, offset=next(self._offsets), timestamp=self.clock.now) for body in bodies]
        )

    async def end_idle_calls(self, after: float = 0, idle_calls: IdleCallTimeout | None = None) -> Round:
        """Let so many seconds pass; set a commit barrier, and end the calls that were idle by then."""
        self.clock.move(after)
        idle_calls = idle_calls or self.timeout
        first, second = await idle_calls.step(), await idle_calls.step()
        return Round(first.ended + second.ended, first.marked + second.marked)

    async def fold_ends(self) -> list[Json]:
        """Let the worker write and fold the published ends; return them."""
        ends = [orjson.loads(end.value or b"") for end in self.inferred_ends.published]
        self.inferred_ends.published.clear()
        await self.receive(*ends)
        await self.worker.rest()
        return ends


def ended(**by_status: int) -> Round:
    return Round(Counter(by_status))
