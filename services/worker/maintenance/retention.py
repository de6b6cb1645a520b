"""Deleting calls after the retention of their organizations.

A call gets its tombstone first, then its log is deleted, then the tombstone is marked purged: after a crash in between
the next worker finds what is left to do. Why a concurrent batch or fold brings nothing back: docs/decisions/0011.
"""

from collections.abc import Callable, Collection

from services.worker import metrics
from shared.config.policies import Policies
from shared.process.clock import now_ms
from shared.store.ports import Store

_DAY_MS = 86_400_000
_PASS_MS = 3_600_000
_BATCH = 100
_BATCHES = 20

Owned = Callable[[], Collection[int]]
"""Returns the partitions whose calls this worker owns."""


class RetentionJob:
    """Deletes calls without a new event for `retention_days`; `clock` returns Unix milliseconds."""

    def __init__(
        self, store: Store, policies: Policies, owned: Owned, *, clock: Callable[[], int] = now_ms, batch: int = _BATCH
    ) -> None:
        self._store = store
        self._policies = policies
        self._owned = owned
        self._clock = clock
        self._batch = batch
        self._next_pass = 0
        self._pending: list[str] = []

    async def run(self) -> None:
        """Delete a bounded number of calls; organizations are gone through once an hour.

        Raises:
            StoreUnavailable: the store does not answer; the next run continues.
        """
        owned = self._owned()
        if not owned:
            return
        await self._purge(owned)
        if not self._pending and self._clock() >= self._next_pass:
            self._pending = await self._organizations()
            self._next_pass = self._clock() + _PASS_MS
        for _ in range(_BATCHES):
            if self._pending and await self._delete_some(self._pending[-1], owned) < self._batch:
                self._pending.pop()

    async def _organizations(self) -> list[str]:
        """Return the organizations that have a retention."""
        names = self._policies.organizations
        every = {*names, *await self._store.organizations()} if self._policies.default.retention_days else names
        return [name for name in every if self._policies.of(name).retention_days]

    async def _delete_some(self, organization: str, owned: Collection[int]) -> int:
        until = self._clock() - self._policies.of(organization).retention_days * _DAY_MS
        calls = await self._store.past_retention(organization, owned, until, self._batch)
        if calls:
            metrics.DELETED.inc(await self._store.tombstone(calls, until))
            await self._purge(owned)
        return len(calls)

    async def _purge(self, owned: Collection[int]) -> None:
        """Delete the logs of tombstoned calls, also those that another worker did not come to."""
        calls = await self._store.tombstoned(owned, self._batch)
        if calls:
            await self._store.delete_log(calls)
            await self._store.mark_purged(calls)
