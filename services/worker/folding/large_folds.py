"""Large calls are folded beside the folder's rounds, so that a long fold holds up no short one."""

import asyncio
import contextlib

from services.worker.folding.leases import Claimed, Outcome, observe
from shared.calls.large_calls import FoldFailed, LargeCalls, OutOfMemory, PoolUnavailable, ProcessEnded
from shared.process.logs import logger
from shared.store.ports import Claim, StoreUnavailable, Unstorable

log = logger(__name__)


class Beside:
    """Claimed large calls, from when they are handed over until something has become of them; at most `most`."""

    def __init__(self, folds: LargeCalls, claimed: Claimed, *, most: int) -> None:
        self._folds = folds
        self._claimed = claimed
        self._most = most
        self._tasks: dict[asyncio.Task[Outcome], Claim] = {}

    def has_room_for(self, claim: Claim) -> bool:
        """Tell whether a call may be handed over.

        One with an attempt that came to nothing does not wait behind others with its claim: whatever ended the worker
        then would count against it once more.
        """
        return len(self._tasks) < (self._most if claim.attempts == 1 else 1)

    def take(self, claim: Claim) -> None:
        """Fold a call, and keep its claim meanwhile."""
        task = asyncio.create_task(self._claimed.work([claim], lambda: self._fold(claim)))
        self._tasks[task] = claim

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
        broken_off = {task: claim for task, claim in self._tasks.items() if task.cancel()}
        await self.settle()
        with contextlib.suppress(StoreUnavailable):
            for claim in broken_off.values():  # again: a task that was cancelled before it began gave nothing back
                await self._claimed.release([claim])

    async def _fold(self, claim: Claim) -> Outcome:
        try:
            done = await self._folds.store(claim)
        except Unstorable:
            return await self._claimed.break_off([claim], "the store refuses its record")
        except OutOfMemory as error:
            return await self._claimed.break_off([claim], str(error))
        except FoldFailed:
            return await self._claimed.break_off([claim], "the fold failed")
        except ProcessEnded as error:
            # Its claim is left to run out, so that the attempt counts, and the next one comes a while later.
            log.warning("fold_ended", call=claim.call, attempt=claim.attempts, why=str(error))
            return Outcome()
        except PoolUnavailable as error:
            log.warning("pool_unavailable", why=str(error))
            self._claimed.folded(claim, 0)
            return await self._claimed.release([claim])
        observe(done.conflicts, done.invalid, done.remarks, done.seconds)
        self._claimed.folded(claim, done.seconds)
        return self._claimed.stored(claim, final=done.final, marked_again=done.marked_again)
