"""Expiring tombstones: each is kept as long as the topics, by their configs, can hold an event of the deleted call."""

from collections.abc import Awaitable, Callable, Collection, Mapping

from services.worker import metrics
from services.worker.maintenance.retention import Owned
from shared.contract.topics import Topics
from shared.kafka.access import KafkaAccess
from shared.kafka.admin import admin_client, topic_configs
from shared.process.clock import now_ms
from shared.store.ports import Store

_DAY_MS = 86_400_000
_PASS_MS = 3_600_000
_BATCH = 100
_BATCHES = 20
_UNLIMITED_MS = 2**62
_HELD_BY = ("cleanup.policy", "retention.ms", "segment.ms", "message.timestamp.type", "message.timestamp.after.max.ms")


def held_ms(config: Mapping[str, str]) -> int | None:
    """Return for how long after its arrival a topic may hold a record, in milliseconds; None: without a limit.

    A topic that is only compacted has no limit, and `retention.bytes` is no limit in time. A segment is deleted as a
    whole, by the latest timestamp in it. That timestamp is at most `segment.ms` after the first record's, and later by
    as much as a producer's clock may be ahead, where the producer sets it.
    """
    if "delete" not in config.get("cleanup.policy", ""):
        return None
    ahead = 0
    if config.get("message.timestamp.type") != "LogAppendTime":
        ahead = int(config.get("message.timestamp.after.max.ms", _UNLIMITED_MS))
    retention = int(config.get("retention.ms", -1))
    held = retention + int(config.get("segment.ms", 0)) + ahead
    return None if retention < 0 or held >= _UNLIMITED_MS else held


def tombstone_ttl_ms(inputs: Collection[int | None], dead_letters: int | None) -> int | None:
    """Return for how many milliseconds a tombstone is kept, by how long the topics hold a record; None: for ever.

    A record may become a dead letter just before its topic deletes it, and the dead letter may be replayed just before
    it is deleted too: the times add up. One day is added for workers that lag, for clocks that differ, and for the
    broker, which deletes every few minutes.
    """
    if dead_letters is None or None in inputs:
        return None
    return max(held for held in inputs if held is not None) + dead_letters + _DAY_MS


async def tombstone_ttl(kafka: KafkaAccess, topics: Topics) -> int | None:
    """Return for how many milliseconds a tombstone is kept, by the topics' present configs; None: for ever.

    Raises:
        KafkaUnavailable: Kafka does not answer as it should.
    """
    async with admin_client(kafka) as admin:
        configs = await topic_configs(admin, [*topics.inputs, topics.dead_letter], _HELD_BY)
    return tombstone_ttl_ms([held_ms(configs[name]) for name in topics.inputs], held_ms(configs[topics.dead_letter]))


class TombstoneJob:
    """Expires the tombstones of calls of which no topic can hold an event any more."""

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

    async def run(self) -> None:
        """Expire a bounded number of tombstones; once none is left, again after an hour.

        Raises:
            StoreUnavailable: the store does not answer.
            KafkaUnavailable: Kafka does not return the configs of the topics.
        """
        owned = self._owned()
        if not owned or self._clock() < self._next_pass:
            return
        ttl = await self._tombstone_ttl()
        metrics.TOMBSTONE_SECONDS.set(float("inf") if ttl is None else ttl / 1000)
        if ttl is None or await self._expire_some(owned, self._clock() - ttl):
            self._next_pass = self._clock() + _PASS_MS

    async def _expire_some(self, owned: Collection[int], until: int) -> bool:
        """Expire a bounded number; return whether none is left."""
        for _ in range(_BATCHES):
            calls = await self._store.expired_tombstones(owned, until, self._batch)
            if not calls:
                return True
            await self._expire(calls, until)
        return False

    async def _expire(self, calls: Collection[str], until: int) -> None:
        """Expire the tombstones of calls without a log; one with a log, left by a batch before a crash, is renewed.

        The log is not deleted here: an event that arrives now would be deleted with it, and then find no tombstone.
        """
        sizes = await self._store.sizes(calls)
        await self._store.renew_tombstones([call for call in calls if sizes[call]], until)
        metrics.TOMBSTONES_EXPIRED.inc(
            await self._store.expire_tombstones([call for call in calls if not sizes[call]], until)
        )
