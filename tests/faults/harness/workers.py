"""The workers of a run: starts them, and counts how they end and which of them hang."""

import asyncio
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress

import httpx

from services.worker.runtime.watchdog import EXIT_HUNG
from tests.mutants.worker.mistakes import VARIABLE as MUTANT
from tests.support.eventually import scaled
from tests.support.worker.crash_points import VARIABLE, CrashPoint
from tests.support.worker.process import WorkerProcess

Make = Callable[[int | None], WorkerProcess]
Say = Callable[[str], None]

WORKER = "services.worker"
_READY_WITHIN = 15.0
_GRACE_SECONDS = scaled(30.0)
_BEFORE_IT_LISTENS = -signal.SIGTERM
"""The status of a worker that is stopped before it handles signals, and so before it reads anything."""
_BLOCKED = "its loop is blocked"
"""What the watchdog logs if a blocked loop, not a stop that takes too long, is its reason."""
_LOOK_SECONDS = 0.25


class Crew:
    """Workers of one group; `make` makes one more, whose batches have this limit if one is given."""

    def __init__(self, make: Make, say: Say) -> None:
        self._make = make
        self._say = say
        self.program = WORKER
        """The module of workers that join."""
        self.mutant = ""
        """The mistake that they make, if the module makes several."""
        self._full_batches = Counter[WorkerProcess]()
        self.workers: list[WorkerProcess] = []
        self.available_since: float | None = None
        """Since when Kafka and MongoDB are available (monotonic clock), None during an outage."""
        self.ends: Counter[str] = Counter()
        self.hung = 0
        self.failed = 0

    async def join(self, batch_events: int | None = None) -> WorkerProcess:
        """Start one more worker, and wait until it is ready; return even if an outage prevents that."""
        worker = self._made(batch_events).start()
        self.workers.append(worker)
        await becomes_ready(worker, _READY_WITHIN)
        return worker

    async def kill(self, worker: WorkerProcess) -> None:
        self._dismiss(worker)
        await asyncio.to_thread(worker.kill)
        self.ends["killed"] += 1

    async def leave(self, worker: WorkerProcess) -> None:
        """Stop a worker cleanly; one that does not end in time hangs."""
        self._dismiss(worker)
        await self.count_full_batches(worker)
        try:
            status = await asyncio.to_thread(worker.stop)
        except subprocess.TimeoutExpired:
            self._count_hung(worker, "does not end")
            await asyncio.to_thread(worker.kill)
            return
        self._count(worker, status)

    async def crash(self, point: CrashPoint, within: float) -> bool:
        """Replace a worker by one that dies at a crash point; return whether it did."""
        doomed = self._make(None).running("tests.support.worker.crashing_worker", **{VARIABLE: point}).start()
        # An additional worker would be assigned no partition, because the others keep theirs.
        await self.leave(self.workers[0])
        crashed = await _ends(doomed, within) and doomed.wait() == point.exit_status
        if crashed:
            self.ends["crashed"] += 1
        elif doomed.ended():
            self._count(doomed, doomed.wait())
        else:
            await asyncio.to_thread(doomed.kill)
        await self.join()
        return crashed

    async def replace(self, batch_events: int) -> WorkerProcess:
        """Replace a worker by one whose batches have this limit, and which owns partitions therefore."""
        await self.leave(self.workers[0])
        return await self.join(batch_events)

    async def count_full_batches(self, worker: WorkerProcess) -> int:
        """Return how many batches of a worker have reached their limit, as far as it is known."""
        with suppress(httpx.HTTPError):
            self._full_batches[worker] = int(await asyncio.to_thread(worker.metric, "callfold_full_batches_total"))
        return self._full_batches[worker]

    def full_batches(self) -> Counter[int]:
        """Return how many batches are known to have reached their limit, by the limit."""
        counts = Counter[int]()
        for worker, number in self._full_batches.items():
            counts[worker.batch_events] += number
        return counts

    async def all_leave(self) -> None:
        """Stop all workers cleanly."""
        await asyncio.gather(*(self.leave(worker) for worker in list(self.workers)))

    async def check_ready(self, within: float) -> None:
        """Count workers that do not become ready as hung, and kill them."""
        ready = await asyncio.gather(*(becomes_ready(worker, within) for worker in self.workers))
        for worker, is_ready in zip(list(self.workers), ready, strict=True):
            if not is_ready:
                self._count_hung(worker, "does not become ready")
                await self.kill(worker)

    async def watch(self) -> None:
        """Replace workers that end by themselves, until cancelled."""
        while True:
            for worker in [worker for worker in self.workers if worker.ended()]:
                self._dismiss(worker)
                self._count(worker, worker.wait())
                self.workers.append(self._made().start())
            await asyncio.sleep(_LOOK_SECONDS)

    def _made(self, batch_events: int | None = None) -> WorkerProcess:
        variables = {MUTANT: self.mutant} if self.mutant else {}
        return self._make(batch_events).running(self.program, **variables)

    def _dismiss(self, worker: WorkerProcess) -> None:
        if worker in self.workers:
            self.workers.remove(worker)

    def _count(self, worker: WorkerProcess, status: int) -> None:
        self.ends[f"exit {status}"] += 1
        if status == EXIT_HUNG and (self._was_available(_GRACE_SECONDS) or _BLOCKED in worker.log.read_text()):
            self._count_hung(worker, "was ended by its watchdog")
        elif status not in (0, EXIT_HUNG, _BEFORE_IT_LISTENS):
            self.failed += 1
            self._say(f"a worker ended with {status}, see {worker.log}")

    def _was_available(self, seconds: float) -> bool:
        """Return whether a worker could commit for so long; during an outage its watchdog may end it."""
        return self.available_since is not None and time.monotonic() - self.available_since > seconds

    def _count_hung(self, worker: WorkerProcess, how: str) -> None:
        self.hung += 1
        self._say(f"a worker {how}, see {worker.log}")


async def becomes_ready(worker: WorkerProcess, within: float) -> bool:
    """Return whether a worker becomes ready within so many seconds, scaled."""

    async def wait() -> None:
        while not (worker.ended() or await asyncio.to_thread(worker.ready)):  # noqa: ASYNC110 - another process
            await asyncio.sleep(_LOOK_SECONDS)

    with suppress(TimeoutError):
        await asyncio.wait_for(wait(), scaled(within))
        return not worker.ended()
    return False


async def _ends(worker: WorkerProcess, within: float) -> bool:
    with suppress(TimeoutError):
        async with asyncio.timeout(scaled(within)):
            while not worker.ended():  # noqa: ASYNC110 - another process
                await asyncio.sleep(_LOOK_SECONDS)
    return worker.ended()
