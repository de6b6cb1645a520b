"""The folder: runs beside the batches, and folds the calls that are stale and ripe. States: shared/store/states.py."""

import asyncio
import contextlib
import time
import uuid
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from services.worker.ripeness import Reach, Ripeness
from services.worker.waiting import patiently
from shared import metrics
from shared.clock import now_ms
from shared.cost import PriceBook
from shared.fold import Folded
from shared.fold_call import fold_call
from shared.logs import logger
from shared.store.log import LogDocument
from shared.store.port import Claim, Result, Store, StoreUnavailable, Unstorable, Waiting
from shared.store.states import MAX_ATTEMPTS

log = logger(__name__)
T = TypeVar("T", Claim, tuple[Claim, Result])

_ROUND_CALLS = 200
_ROUND_BYTES = 32 * 1024 * 1024
_GROUP_BYTES = 4 * 1024 * 1024
_RENEWALS = 4
_MANY = 10_000


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a round: how many calls were stored, marked again meanwhile, broken, given back."""

    stored: int = 0
    marked_again: int = 0
    broken: int = 0
    released: int = 0


class Folder:
    """Folds the calls of the partitions that `reached` tells of."""

    def __init__(
        self,
        store: Store,
        book: PriceBook,
        ripeness: Ripeness,
        reached: Callable[[], dict[int, Reach]],
        *,
        claim_seconds: float,
        poll_seconds: float,
        clock: Callable[[], int] = now_ms,
    ) -> None:
        self._store = store
        self._book = book
        self._ripeness = ripeness
        self._reached = reached
        self._claim_seconds = claim_seconds
        self._poll_seconds = poll_seconds
        self._clock = clock
        self._next_poll = 0.0
        self._owned: frozenset[int] = frozenset()

    async def step(self) -> Outcome:
        """Fold what is ripe now, at most one round of it.

        Raises:
            StoreUnavailable: the store does not answer; nothing is claimed.
        """
        reached = self._reached()
        await self._look_around(frozenset(reached))
        ripe = self._ripeness.take(reached, self._clock(), _ROUND_CALLS)
        metrics.CALLS_WAITING.set(len(self._ripeness) + len(ripe))
        return await self._round(ripe) if ripe else Outcome()

    async def _round(self, ripe: Sequence[Waiting]) -> Outcome:
        calls, token = [waiting.call for waiting in ripe], uuid.uuid4().hex
        try:
            claims = await self._store.claim(calls, token)
        except StoreUnavailable:
            # The claims may have been made and only the answer lost: not left to run out either.
            await patiently("mongodb", lambda: self._store.release(calls, token), StoreUnavailable)
            self._ripeness.add(ripe)
            return Outcome(released=len(calls))
        outcome = await self._work(claims) if claims else Outcome()
        for suspect in _suspects(claims):
            outcome = _sum(outcome, await self._round([each for each in ripe if each.call == suspect.call]))
        return outcome

    async def _work(self, claims: Sequence[Claim]) -> Outcome:
        """Fold claimed calls; whatever breaks it off, what it leaves is given back.

        What was stored by then holds the token no longer, so that giving back does nothing to it.
        """
        renewal = asyncio.create_task(self._renew(claims))
        try:
            return await self._fold_round(claims)
        except asyncio.CancelledError:
            with contextlib.suppress(StoreUnavailable):
                await asyncio.shield(self._release(claims))
            raise
        except StoreUnavailable:
            # Not left to run out: an attempt that the store broke off must not count against the call.
            log.warning("round_broken_off", calls=len(claims))
            await patiently("mongodb", lambda: self._release(claims), StoreUnavailable)
            return Outcome(released=len(claims))
        finally:
            renewal.cancel()

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

    async def _fold_round(self, claims: Sequence[Claim]) -> Outcome:
        hopeless = [claim for claim in claims if claim.attempts > MAX_ATTEMPTS]
        await self._break_off(hopeless, "the process ended in each attempt")
        suspects = {claim.call for claim in _suspects(claims)}
        await self._store.release(suspects, claims[0].token)
        hopeful = [claim for claim in claims if claim.attempts <= MAX_ATTEMPTS and claim.call not in suspects]
        sizes = await self._sizes(hopeful) if hopeful else {}
        hopeful.sort(key=lambda claim: sizes[claim.call])
        outcome = Outcome(broken=len(hopeless))
        budget = _ROUND_BYTES
        for group in _groups(hopeful, sizes):
            if budget <= 0:
                await self._release(group)
                outcome = replace(outcome, released=outcome.released + len(group))
                continue
            budget -= sum(sizes[claim.call] for claim in group)
            outcome = _sum(outcome, await self._fold_group(group))
        return outcome

    async def _sizes(self, claims: Sequence[Claim]) -> dict[str, int]:
        try:
            return await self._store.sizes([claim.call for claim in claims])
        except StoreUnavailable:
            raise
        except Exception:
            log.exception("log_unreadable", calls=len(claims))
            return dict.fromkeys((claim.call for claim in claims), _GROUP_BYTES)  # each is a group of its own

    async def _fold_group(self, group: Sequence[Claim]) -> Outcome:
        try:
            log_of = await self._store.read([claim.call for claim in group])
        except StoreUnavailable:
            raise
        except Exception:
            log.exception("log_unreadable", calls=len(group))
            return await self._one_by_one(group, self._fold_group, "its log cannot be read")
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
        await self._break_off(broken, "the fold failed")
        return _sum(Outcome(broken=len(broken)), await self._store_results(results))

    async def _one_by_one(
        self, items: Sequence[T], act: Callable[[Sequence[T]], Awaitable[Outcome]], why: str
    ) -> Outcome:
        """Do with each what cannot be done with all of them, to tell the one that is the trouble from its company."""
        if len(items) == 1:
            (item,) = items
            await self._break_off([item if isinstance(item, Claim) else item[0]], why)
            return Outcome(broken=1)
        outcome = Outcome()
        for item in items:
            outcome = _sum(outcome, await act([item]))
        return outcome

    async def _fold(self, claim: Claim, documents: Sequence[LogDocument]) -> Result:
        started = time.perf_counter()
        done = await fold_call(self._store, claim, documents, self._book)
        seconds = time.perf_counter() - started
        _observe(done.folded, done.invalid, seconds)
        self._ripeness.folded(claim.call, self._clock(), seconds)
        return done.result

    async def _store_results(self, results: Sequence[tuple[Claim, Result]]) -> Outcome:
        if not results:
            return Outcome()
        try:
            lost = await self._store.replace(results)
        except Unstorable:
            return await self._one_by_one(results, self._store_results, "the store refuses its record")
        for claim, result in results:
            if claim.call in lost:
                self._ripeness.note(claim.call, claim.partition, claim.last_arrival, marked_at=self._clock())
            metrics.FOLDS.labels("marked_again" if claim.call in lost else "final" if result.final else "live").inc()
        return Outcome(stored=len(results) - len(lost), marked_again=len(lost))

    async def _break_off(self, claims: Sequence[Claim], why: str) -> None:
        if not claims:
            return
        await self._store.break_off(claims)
        metrics.BROKEN.inc(len(claims))
        metrics.FOLDS.labels("broken").inc(len(claims))
        for claim in claims:
            log.error("call_broken", call=claim.call, why=why)

    async def _release(self, claims: Sequence[Claim]) -> None:
        await self._store.release([claim.call for claim in claims], claims[0].token)
        for claim in claims:
            self._ripeness.note(claim.call, claim.partition, claim.last_arrival, marked_at=self._clock())

    async def _renew(self, claims: Sequence[Claim]) -> None:
        while True:
            await asyncio.sleep(self._claim_seconds / _RENEWALS)
            with contextlib.suppress(StoreUnavailable):  # the round itself meets it, and says so
                await self._store.renew([claim.call for claim in claims], claims[0].token)


def _suspects(claims: Sequence[Claim]) -> list[Claim]:
    """Return the claims to be given back, and made and folded one by one: one of them may have ended its process.

    An attempt counts against all that is claimed when a process ends: in company it would break the others too.
    """
    return [claim for claim in claims if 1 < claim.attempts <= MAX_ATTEMPTS] if len(claims) > 1 else []


def _groups(claims: Sequence[Claim], sizes: dict[str, int]) -> Iterator[list[Claim]]:
    """Yield the claims in groups of at most `_GROUP_BYTES` of events; a larger call is a group of its own."""
    group: list[Claim] = []
    size = 0
    for claim in claims:
        if group and size + sizes[claim.call] > _GROUP_BYTES:
            yield group
            group, size = [], 0
        group.append(claim)
        size += sizes[claim.call]
    if group:
        yield group


def _observe(folded: Folded, invalid: int, seconds: float) -> None:
    metrics.FOLD_SECONDS.observe(seconds)
    metrics.CONFLICTS.inc(folded.conflicts)
    metrics.INVALID_IN_LOG.inc(invalid)
    metrics.UNRATED.labels("unknown_direction").inc(folded.remarks.unknown_direction)
    metrics.UNRATED.labels("unknown_product").inc(len(folded.remarks.unknown_products))
    metrics.UNRATED.labels("usage_of_timed_product").inc(len(folded.remarks.ignored_usage))


def _sum(one: Outcome, other: Outcome) -> Outcome:
    return Outcome(
        one.stored + other.stored,
        one.marked_again + other.marked_again,
        one.broken + other.broken,
        one.released + other.released,
    )
