"""Deleting what was kept for as long as its organization asks, and forgetting that there ever was a call.

A call's tombstone comes first, then its log goes, then the tombstone says so: whoever was stopped in between leaves
what the next finds. Why a batch or a folder at work meanwhile brings nothing back: docs/decisions/0011.
"""

from collections.abc import Awaitable, Callable, Collection

from shared.config.policies import Policies
from shared.process import metrics
from shared.process.clock import now_ms
from shared.store.ports import Store

_DAY_MS = 86_400_000
_PASS_MS = 3_600_000
_BATCH = 100
_BATCHES = 20

Owned = Callable[[], Collection[int]]
"""Returns the partitions whose calls are this worker's."""


class RetentionJob:
    """Deletes calls from which nothing has arrived for `retention_days`; `clock` gives Unix milliseconds."""

    def __init__(
        self, store: Store, policies: Policies, owned: Owned, *, clock: Callable[[], int] = now_ms, batch: int = _BATCH
    ) -> None:
        self._store = store
        self._policies = policies
        self._owned = owned
        self._clock = clock
        self._batch = batch
        self._next_pass = 0
        self._left: list[str] = []

    async def act(self) -> None:
        """Delete some of what is due; all of it is looked for once an hour.

        Raises:
            StoreUnavailable: the store does not answer; what was begun is gone on with the next time.
        """
        owned = self._owned()
        if not owned:
            return
        await self._empty(owned)
        if not self._left and self._clock() >= self._next_pass:
            self._left = await self._organizations()
            self._next_pass = self._clock() + _PASS_MS
        for _ in range(_BATCHES):
            if self._left and await self._delete_some(self._left[-1], owned) < self._batch:
                self._left.pop()

    async def _organizations(self) -> list[str]:
        """Return the organizations whose calls are not kept for ever."""
        named = self._policies.organizations
        every = {*named, *await self._store.organizations()} if self._policies.default.retention_days else named
        return [name for name in every if self._policies.of(name).retention_days]

    async def _delete_some(self, organization: str, owned: Collection[int]) -> int:
        until = self._clock() - self._policies.of(organization).retention_days * _DAY_MS
        calls = await self._store.past_retention(organization, owned, until, self._batch)
        if calls:
            metrics.DELETED.inc(await self._store.tombstone(calls, until))
            await self._empty(owned)
        return len(calls)

    async def _empty(self, owned: Collection[int]) -> None:
        """Delete the log of calls that are buried, by this worker or by one that did not come so far."""
        calls = await self._store.tombstoned(owned, self._batch)
        if calls:
            await self._store.delete_log(calls)
            await self._store.mark_purged(calls)


class TombstoneJob:
    """Forgets deleted calls of which no topic can hold an event any more."""

    def __init__(
        self,
        store: Store,
        owned: Owned,
        tombstone_ttl: Callable[[], Awaitable[int | None]],
        *,
        clock: Callable[[], int] = now_ms,
        batch: int = _BATCH,
    ) -> None:
        """`tombstone_ttl` returns for how many milliseconds a tombstone is kept; None: for ever."""
        self._store = store
        self._owned = owned
        self._tombstone_ttl = tombstone_ttl
        self._clock = clock
        self._batch = batch
        self._next_pass = 0

    async def act(self) -> None:
        """Forget some of what is due; all of it is looked for once an hour.

        Raises:
            StoreUnavailable: the store does not answer.
            KafkaUnavailable: Kafka does not tell how long it holds events.
        """
        owned = self._owned()
        if not owned or self._clock() < self._next_pass:
            return
        ttl = await self._tombstone_ttl()
        metrics.TOMBSTONE_SECONDS.set(float("inf") if ttl is None else ttl / 1000)
        if ttl is None or await self._forget_some(owned, self._clock() - ttl):
            self._next_pass = self._clock() + _PASS_MS

    async def _forget_some(self, owned: Collection[int], until: int) -> bool:
        """Forget a bounded number; tell whether that was all."""
        for _ in range(_BATCHES):
            calls = await self._store.expired_tombstones(owned, until, self._batch)
            if not calls:
                return True
            await self._forget(calls, until)
        return False

    async def _forget(self, calls: Collection[str], until: int) -> None:
        """Forget the calls that have no log; what a batch left that nobody delivered again has to go first.

        It is not deleted here: an event that comes just now would be deleted with it, and find no tombstone after that.
        """
        sizes = await self._store.sizes(calls)
        await self._store.renew_tombstones([call for call in calls if sizes[call]], until)
        metrics.TOMBSTONES_EXPIRED.inc(
            await self._store.expire_tombstones([call for call in calls if not sizes[call]], until)
        )
