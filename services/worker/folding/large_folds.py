"""Large calls are folded concurrently with the fold loop, so that a long fold delays no short one."""

import asyncio
import contextlib

from services.worker.folding.leases import Leases
from shared.calls.large_calls import FoldFailed, LargeCalls, OutOfMemory, PoolUnavailable, ProcessEnded
from shared.calls.leased_folds import Outcome
from shared.process.logs import logger
from shared.store.models import Lease
from shared.store.ports import StoreUnavailable, Unstorable

log = logger(__name__)


class LargeFolds:
    """Leased large calls that are submitted to the pool, at most `most` at a time."""

    def __init__(self, folds: LargeCalls, leased: Leases, *, most: int) -> None:
        self._folds = folds
        self._leases = leased
        self._most = most
        self._tasks: dict[asyncio.Task[Outcome], Lease] = {}

    def has_room_for(self, lease: Lease) -> bool:
        """Return whether a call may be submitted.

        A call with a failed attempt does not wait behind others while it is leased: if the worker ended meanwhile, that
        would count against it once more.
        """
        return len(self._tasks) < (self._most if lease.attempts == 1 else 1)

    def submit(self, lease: Lease) -> None:
        """Fold a call, and renew its lease meanwhile."""
        task = asyncio.create_task(self._leases.work([lease], lambda: self._fold(lease)))
        self._tasks[task] = lease

    def outcome(self) -> Outcome:
        """Return the outcome of the folds that ended since the last call."""
        outcome = Outcome()
        for task in [task for task in self._tasks if task.done()]:
            del self._tasks[task]
            outcome += task.result()
        return outcome

    async def wait(self) -> None:
        """Return when all submitted folds have ended."""
        if self._tasks:
            await asyncio.wait(self._tasks)

    async def stop(self) -> None:
        """Cancel the folds, and release the leases."""
        cancelled = {task: lease for task, lease in self._tasks.items() if task.cancel()}
        await self.wait()
        with contextlib.suppress(StoreUnavailable):
            for lease in cancelled.values():  # again: a task that was cancelled before it began released nothing
                await self._leases.release([lease])

    async def _fold(self, lease: Lease) -> Outcome:
        try:
            done = await self._folds.store(lease)
        except Unstorable:
            return await self._leases.mark_broken([lease], "the store refuses its record")
        except OutOfMemory as error:
            return await self._leases.mark_broken([lease], str(error))
        except FoldFailed:
            return await self._leases.mark_broken([lease], "the fold failed")
        except ProcessEnded as error:
            # Its lease expires, so that the attempt counts, and the next attempt comes later.
            log.warning("fold_process_ended", call=lease.call, attempt=lease.attempts, error=str(error))
            return Outcome()
        except PoolUnavailable as error:
            log.warning("fold_pool_unavailable", error=str(error))
            self._leases.postpone(lease, 0)
            return await self._leases.release([lease])
        self._leases.on_folded(lease, done.stats)
        self._leases.on_stored(lease, final=done.final, overtaken=done.overtaken)
        return Outcome(overtaken=1) if done.overtaken else Outcome(stored=1)
