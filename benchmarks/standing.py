"""Workers that stand ready before there is a backlog: what it costs to start and to join falls on no event."""

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Self

from benchmarks.calls import Workload
from benchmarks.ingest.callfold import all_final, are_right, last_fold, workers
from benchmarks.ingest.draining import Drained
from benchmarks.stage import Consumed, Stage, peak_megabytes, publish, settle
from shared.contract.topics import Topics
from tests.support.worker.process import WorkerProcess

_LOOK_SECONDS = 0.1
_LOOKS = 10
_SETTLED_WITHIN = 180.0


class Crew:
    """Workers of one group, the topics that they read, and the database that they fold into."""

    def __init__(self, stage: Stage, topics: Topics, partitions: int) -> None:
        self._stage = stage
        self._calls = 0
        self.partitions = partitions
        self.topics = topics
        self.name = stage.name("callfold")
        self.database = stage.database(self.name)
        self.members: list[WorkerProcess] = []

    @classmethod
    @asynccontextmanager
    async def of(cls, stage: Stage, partitions: int) -> AsyncIterator[Self]:
        """Give a crew without members; its workers end with it, and its database goes."""
        crew = cls(stage, await stage.topics(partitions), partitions)
        try:
            yield crew
        finally:
            for member in crew.members:
                member.__exit__()
            stage.client.drop_database(crew.name)

    async def join(self, number: int = 1, **settings: object) -> None:
        """Start so many more workers, with the settings of production but these; return when all have their share."""
        for worker in workers(self._stage, self.topics, self.name, number, self.partitions, **settings):
            self.members.append(worker.start())
        await self.settled()

    async def settled(self) -> None:
        """Return when every partition is a worker's, for a second, and every worker is ready."""
        seen = 0
        async with asyncio.timeout(_SETTLED_WITHIN):
            while seen < _LOOKS:
                seen = seen + 1 if await asyncio.to_thread(self._shared_out) else 0
                await asyncio.sleep(_LOOK_SECONDS)

    def _shared_out(self) -> bool:
        if not all(member.ready() for member in self.members):
            return False
        held = [member.metric("callfold_assigned_partitions") for member in self.members]
        return min(held) > 0 and sum(held) == self.partitions * len(self.topics.inputs)

    def pids(self) -> dict[str, int]:
        """Return the processes of the workers."""
        return {f"pipeline_{place}": member.pid for place, member in enumerate(self.members)}

    async def cleared(self, workload: Workload) -> int:
        """Empty the database; return the number of the first call of a workload that nobody has seen."""
        for collection in (self.database.calls, self.database.call_events):
            collection.delete_many({})
        await settle()
        first, self._calls = self._calls, self._calls + workload.calls
        return first

    async def drain(self, workload: Workload) -> Drained:
        """Drain the workload once more, told of new calls; what lay in the database is gone.

        Raises:
            AssertionError: a record differs from the reference fold.
        """
        first = await self.cleared(workload)
        pids = self.pids()
        consumed = Consumed(**pids, **self._stage.servers())
        began = await put_before(self._stage, list(pids.values()), workload, self.topics, first)
        cpu = {}
        right = False
        while not right:
            await all_final(self.database, workload.calls)
            cpu = consumed.seconds()
            right = await are_right(self._stage, self.database, workload, first)
        return Drained(workload.total, last_fold(self.database) - began, cpu, max(map(peak_megabytes, pids.values())))


async def put_before(stage: Stage, pids: Sequence[int], workload: Workload, topics: Topics, first: int) -> float:
    """Publish a backlog while the processes that will drain it stand still; return when they go on (`time.time()`)."""
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        await asyncio.to_thread(publish, stage.kafka.address, workload.messages(topics, first))
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)
    return time.time()
