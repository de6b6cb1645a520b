"""Large calls are folded beside the folder's rounds, so that a long fold holds up no short one."""

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
    """Claimed large calls, from when they are handed over until something has become of them; at most `most`."""

    def __init__(self, folds: LargeCalls, leased: Leases, *, most: int) -> None:
        self._folds = folds
        self._leases = leased
        self._most = most
        self._tasks: dict[asyncio.Task[Outcome], Lease] = {}

    def has_room_for(self, lease: Lease) -> bool:
        """Tell whether a call may be handed over.

        One with an attempt that came to nothing does not wait behind others with its claim: whatever ended the worker
        then would count against it once more.
        """
        return len(self._tasks) < (self._most if lease.attempts == 1 else 1)

    def take(self, lease: Lease) -> None:
        """Fold a call, and keep its claim meanwhile."""
        task = asyncio.create_task(self._leases.work([lease], lambda: self._fold(lease)))
        self._tasks[task] = lease

    def outcome(self) -> Outcome:
        """Return what has become of calls since this was last asked."""
        outcome = Outcome()
        for task in [task for task in self._tasks if task.done()]:
            del self._tasks[task]
            outcome += task.result()
        return outcome

    async def settle(self) -> None:
        """Return when something has become of each call that was handed over."""
        if self._tasks:
            await asyncio.wait(self._tasks)

    async def stop(self) -> None:
        """Break the folds off, and give the claims back."""
        broken_off = {task: lease for task, lease in self._tasks.items() if task.cancel()}
        await self.settle()
        with contextlib.suppress(StoreUnavailable):
            for lease in broken_off.values():  # again: a task that was cancelled before it began gave nothing back
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
            # Its claim is left to run out, so that the attempt counts, and the next one comes a while later.
            log.warning("fold_ended", call=lease.call, attempt=lease.attempts, why=str(error))
            return Outcome()
        except PoolUnavailable as error:
            log.warning("pool_unavailable", why=str(error))
            self._leases.postpone(lease, 0)
            return await self._leases.release([lease])
        self._leases.on_folded(lease, done.stats)
        self._leases.on_stored(lease, final=done.final, overtaken=done.overtaken)
        return Outcome(overtaken=1) if done.overtaken else Outcome(stored=1)
