"""The folder: runs beside the batches, and folds the calls that are stale and ripe. States: shared/store/states.py."""

import asyncio
import time
import uuid
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from typing import TypeVar

from services.worker.folding.large_folds import Beside
from services.worker.folding.leases import Claimed, Outcome, observe
from services.worker.folding.schedule import Reach, Ripeness
from services.worker.runtime.retry import patiently
from shared.calls.fold_call import fold_call
from shared.calls.large_calls import LARGE_BYTES, LargeCalls
from shared.fold.cost import PriceBook
from shared.process import metrics
from shared.process.batching import grouped
from shared.process.clock import now_ms
from shared.process.logs import logger
from shared.store.ids import LogDocument
from shared.store.ports import Claim, Result, Store, StoreUnavailable, Unstorable, Waiting
from shared.store.states import MAX_ATTEMPTS

log = logger(__name__)
T = TypeVar("T", Claim, tuple[Claim, Result])

_ROUND_CALLS = 200
_ROUND_BYTES = 32 * 1024 * 1024
_GROUP_BYTES = 2 * 1024 * 1024
_LANES = 2
_MANY = 10_000


class Folder:
    """Folds the calls of the partitions that `reached` tells of."""

    def __init__(
        self,
        store: Store,
        book: PriceBook,
        ripeness: Ripeness,
        reached: Callable[[], dict[int, Reach]],
        *,
        large: LargeCalls,
        most_large: int,
        claim_seconds: float,
        poll_seconds: float,
        clock: Callable[[], int] = now_ms,
    ) -> None:
        self._store = store
        self._book = book
        self._ripeness = ripeness
        self._reached = reached
        self._claimed = Claimed(store, ripeness, claim_seconds=claim_seconds, clock=clock)
        self._beside = Beside(large, self._claimed, most=most_large)
        self._poll_seconds = poll_seconds
        self._clock = clock
        self._round_calls = _ROUND_CALLS
        self._folding = asyncio.Lock()
        self._next_poll = 0.0
        self._owned: frozenset[int] = frozenset()

    async def step(self) -> Outcome:
        """Fold what is ripe now, at most one round of it; return what has become of calls since the last step.

        Raises:
            StoreUnavailable: the store does not answer; nothing is claimed.
        """
        reached = self._reached()
        await self._look_around(frozenset(reached))
        ripe = self._ripeness.take(reached, self._clock(), self._round_calls)
        metrics.CALLS_WAITING.set(len(self._ripeness) + len(ripe))
        return self._beside.outcome() + (await self._round(ripe) if ripe else Outcome())

    async def settle(self) -> None:
        """Return when nothing is being folded beside the steps."""
        await self._beside.settle()

    async def stop(self) -> None:
        """Break off what is being folded beside the steps, and give it back."""
        await self._beside.stop()

    async def _round(self, ripe: Sequence[Waiting]) -> Outcome:
        calls, token = [waiting.call for waiting in ripe], uuid.uuid4().hex
        try:
            claims = await self._store.claim(calls, token)
        except StoreUnavailable:
            # The claims may have been made and only the answer lost: not left to run out either.
            await patiently("mongodb", lambda: self._store.release(calls, token), StoreUnavailable)
            self._ripeness.add(ripe)
            return Outcome(released=len(calls))
        suspects = _suspects(claims)
        outcome = await self._claimed.work(claims, lambda: self._fold_round(claims)) if claims else Outcome()
        for suspect in suspects:
            outcome += await self._round([each for each in ripe if each.call == suspect.call])
        return outcome

    async def _look_around(self, owned: frozenset[int]) -> None:
        """Find stale calls that nobody told of: left by another worker, or by another process of this one."""
        now = time.monotonic()
        if owned != self._owned:
            self._ripeness.keep(owned)
        elif now < self._next_poll:
            return
        found = await self._store.waiting(owned, _MANY) if owned else []
        self._ripeness.add(found)
        self._owned = owned
        self._next_poll = now + (self._poll_seconds if len(found) < _MANY else min(1.0, self._poll_seconds))

    async def _fold_round(self, claims: list[Claim]) -> Outcome:
        hopeless = [claim for claim in claims if claim.attempts > MAX_ATTEMPTS]
        outcome = await self._claimed.break_off(hopeless, "the process ended in each attempt")
        suspects = {claim.call for claim in _suspects(claims)}
        await self._store.release(suspects, claims[0].token)
        hopeful = [claim for claim in claims if claim.attempts <= MAX_ATTEMPTS and claim.call not in suspects]
        sizes = await self._sizes(hopeful) if hopeful else {}
        hopeful.sort(key=lambda claim: sizes[claim.call])
        large = [claim for claim in hopeful if sizes[claim.call] >= LARGE_BYTES]
        fitting, rest = _fitting(hopeful[: len(hopeful) - len(large)], sizes)
        self._round_calls = len(fitting) if rest else min(_ROUND_CALLS, 2 * self._round_calls)
        outcome += await self._hand_over(large, claims) + await self._claimed.release(rest)
        return outcome + await self._fold_groups(list(grouped(fitting, lambda claim: sizes[claim.call], _GROUP_BYTES)))

    async def _fold_groups(self, groups: Sequence[Sequence[Claim]]) -> Outcome:
        """Fold one group at a time while the store is busy with another: reads it, or takes its results."""
        left = iter(groups)
        beside = [asyncio.create_task(self._lane(left)) for _ in groups[1:_LANES]]
        try:
            outcome = await self._lane(left)
            return sum([await lane for lane in beside], outcome)
        finally:
            # When claims are given back, nobody is to be at work with them.
            for lane in beside:
                lane.cancel()
            await asyncio.gather(*beside, return_exceptions=True)

    async def _lane(self, left: Iterator[Sequence[Claim]]) -> Outcome:
        outcome = Outcome()
        for group in left:
            outcome += await self._fold_group(group)
        return outcome

    async def _hand_over(self, large: Sequence[Claim], claims: list[Claim]) -> Outcome:
        """Have large calls folded beside, as many as may wait for that; the others are given back for a while."""
        too_many = []
        for claim in large:
            if self._beside.has_room_for(claim):
                claims.remove(claim)
                self._beside.take(claim)
            else:
                too_many.append(claim)
                self._claimed.folded(claim, 0)
        return await self._claimed.release(too_many)

    async def _sizes(self, claims: Sequence[Claim]) -> dict[str, int]:
        try:
            return await self._store.sizes([claim.call for claim in claims])
        except StoreUnavailable:
            raise
        except Exception:
            log.exception("log_unreadable", calls=len(claims))
            return dict.fromkeys((claim.call for claim in claims), LARGE_BYTES - 1)

    async def _fold_group(self, group: Sequence[Claim]) -> Outcome:
        try:
            log_of = await self._store.read([claim.call for claim in group])
        except StoreUnavailable:
            raise
        except Exception:
            log.exception("log_unreadable", calls=len(group))
            return await self._one_by_one(group, self._fold_group, "its log cannot be read")
        async with self._folding:
            results, broken = await self._fold_each(group, log_of)
        del log_of  # it need not stay in memory until the results are stored
        return await self._claimed.break_off(broken, "the fold failed") + await self._store_results(results)

    async def _fold_each(
        self, group: Sequence[Claim], log_of: Mapping[str, Sequence[LogDocument]]
    ) -> tuple[list[tuple[Claim, Result]], list[Claim]]:
        """Return the results, and the claims of calls that cannot be folded."""
        results: list[tuple[Claim, Result]] = []
        broken: list[Claim] = []
        for claim in group:
            await asyncio.sleep(0)  # the batches go first
            try:
                results.append((claim, await self._fold(claim, log_of[claim.call])))
            except StoreUnavailable:
                raise
            except Exception:
                log.exception("fold_failed", call=claim.call)
                broken.append(claim)
        return results, broken

    async def _one_by_one(
        self, items: Sequence[T], act: Callable[[Sequence[T]], Awaitable[Outcome]], why: str
    ) -> Outcome:
        """Do with each what cannot be done with all of them, to tell the one that is the trouble from its company."""
        if len(items) == 1:
            (item,) = items
            return await self._claimed.break_off([item if isinstance(item, Claim) else item[0]], why)
        outcome = Outcome()
        for item in items:
            outcome += await act([item])
        return outcome

    async def _fold(self, claim: Claim, documents: Sequence[LogDocument]) -> Result:
        started = time.perf_counter()
        done = await fold_call(self._store, claim, documents, self._book)
        seconds = time.perf_counter() - started
        observe(done.folded.conflicts, done.invalid, done.folded.remarks, seconds)
        self._claimed.folded(claim, seconds)
        return done.result

    async def _store_results(self, results: Sequence[tuple[Claim, Result]]) -> Outcome:
        if not results:
            return Outcome()
        try:
            lost = await self._store.replace(results)
        except Unstorable:
            return await self._one_by_one(results, self._store_results, "the store refuses its record")
        outcome = Outcome()
        for claim, result in results:
            outcome += self._claimed.stored(claim, final=result.final, marked_again=claim.call in lost)
        return outcome


def _fitting(claims: Sequence[Claim], sizes: Mapping[str, int]) -> tuple[Sequence[Claim], Sequence[Claim]]:
    """Return the first of these claims, of about so many bytes as a round folds, and the rest."""
    total = 0
    for place, claim in enumerate(claims):
        if total >= _ROUND_BYTES:
            return claims[:place], claims[place:]
        total += sizes[claim.call]
    return claims, ()


def _suspects(claims: Sequence[Claim]) -> list[Claim]:
    """Return the claims to be given back, and made and folded one by one: one of them may have ended its process.

    An attempt counts against all that is claimed when a process ends: in company it would break the others too.
    """
    return [claim for claim in claims if 1 < claim.attempts <= MAX_ATTEMPTS] if len(claims) > 1 else []
