"""The workers: who runs, how they ended, and which of them hung. One that ends by itself is started again."""

import asyncio
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress

from services.worker.runtime.watchdog import EXIT_HUNG
from tests.support.eventually import scaled
from tests.support.worker.crash_points import VARIABLE, CrashPoint
from tests.support.worker.process import WorkerProcess

Make = Callable[[], WorkerProcess]
Say = Callable[[str], None]

WORKER = "services.worker"
_READY_WITHIN = 15.0
_GRACE_SECONDS = scaled(30.0)
_BEFORE_IT_LISTENS = -signal.SIGTERM
"""How a worker ends that is told to before it has begun to listen to signals, and so before it has read anything."""
_BLOCKED = "its event loop is blocked"
"""What the watchdog logs when that, and not a stop without an end, is why it ends the process."""
_LOOK_SECONDS = 0.25


class Crew:
    """Workers of one group; `make` makes one more."""

    def __init__(self, make: Make, say: Say) -> None:
        self._make = make
        self._say = say
        self.program = WORKER
        """What those run that join."""
        self.workers: list[WorkerProcess] = []
        self.well_since: float | None = None
        """When Kafka and MongoDB became well (of the monotonic clock), None while they are not."""
        self.ends: Counter[str] = Counter()
        self.hung = 0
        self.failed = 0

    async def join(self) -> WorkerProcess:
        """Start one more worker, and wait until it is ready, unless the world keeps it from that for long."""
        worker = self._make().running(self.program).start()
        self.workers.append(worker)
        await becomes_ready(worker, _READY_WITHIN)
        return worker

    async def kill(self, worker: WorkerProcess) -> None:
        """End a worker at once."""
        self._dismiss(worker)
        await asyncio.to_thread(worker.kill)
        self.ends["killed"] += 1

    async def leave(self, worker: WorkerProcess) -> None:
        """Let a worker end in order, as it must within its time."""
        self._dismiss(worker)
        try:
            status = await asyncio.to_thread(worker.stop)
        except subprocess.TimeoutExpired:
            self._note_hung(worker, "does not end")
            await asyncio.to_thread(worker.kill)
            return
        self._note(worker, status)

    async def crash(self, point: CrashPoint, within: float) -> bool:
        """Let a worker take the place of another one, and die at a point; tell whether it came to that."""
        doomed = self._make().running("tests.support.worker.crashing_worker", **{VARIABLE: point}).start()
        # One more than there were would be given no partition: those that are there keep theirs.
        await self.leave(self.workers[0])
        crashed = await _ends(doomed, within) and doomed.wait() == point.exit_status
        if crashed:
            self.ends["crashed"] += 1
        elif doomed.ended():
            self._note(doomed, doomed.wait())
        else:
            await asyncio.to_thread(doomed.kill)
        await self.join()
        return crashed

    async def all_leave(self) -> None:
        """Let everybody end in order."""
        await asyncio.gather(*(self.leave(worker) for worker in list(self.workers)))

    async def check_ready(self, within: float) -> None:
        """Take down as hung whoever is not ready when all is well, and end it."""
        ready = await asyncio.gather(*(becomes_ready(worker, within) for worker in self.workers))
        for worker, is_ready in zip(list(self.workers), ready, strict=True):
            if not is_ready:
                self._note_hung(worker, "does not become ready")
                await self.kill(worker)

    async def watch(self) -> None:
        """Start another one for each that ends by itself, for as long as it is not cancelled."""
        while True:
            for worker in [worker for worker in self.workers if worker.ended()]:
                self._dismiss(worker)
                self._note(worker, worker.wait())
                self.workers.append(self._make().running(self.program).start())
            await asyncio.sleep(_LOOK_SECONDS)

    def _dismiss(self, worker: WorkerProcess) -> None:
        if worker in self.workers:
            self.workers.remove(worker)

    def _note(self, worker: WorkerProcess, status: int) -> None:
        self.ends[f"exit {status}"] += 1
        if status == EXIT_HUNG and (self._was_well(_GRACE_SECONDS) or _BLOCKED in worker.log.read_text()):
            self._note_hung(worker, "was ended by its watchdog")
        elif status not in (0, EXIT_HUNG, _BEFORE_IT_LISTENS):
            self.failed += 1
            self._say(f"a worker ended with {status}, see {worker.log}")

    def _was_well(self, seconds: float) -> bool:
        """Tell whether a worker that had so long to leave had whom to commit to: without, its watchdog is the way."""
        return self.well_since is not None and time.monotonic() - self.well_since > seconds

    def _note_hung(self, worker: WorkerProcess, how: str) -> None:
        self.hung += 1
        self._say(f"a worker {how}, see {worker.log}")


async def becomes_ready(worker: WorkerProcess, within: float) -> bool:
    """Tell whether a worker becomes ready within so many seconds."""

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
