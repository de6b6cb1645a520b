"""Calls past retention, their tombstones, and calls that opted out, in memory."""

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, replace

from shared.store.models import CallArrival, FoldResult
from shared.store.states import MOVES, Move, State
from shared.store.zstd_frame import Frame


@dataclass(frozen=True, slots=True)
class MemoryCall:
    """The document of a call; `frame` is the record's text, and `result` is without it.

    `seen_at` and `purged` are a tombstone's.
    """

    state: State
    partition: int
    last_arrival: int
    opted_out: bool = False
    token: str = ""
    stale_since: int = 0
    leased_at: int = 0
    attempts: int = 0
    result: FoldResult | None = None
    frame: Frame | None = None
    seen_at: int = 0
    purged: bool = False


class MemoryRetention:
    """Implements `RetentionStore`."""

    _calls: dict[str, MemoryCall]
    _clock: Callable[[], int]

    async def organizations(self) -> list[str]:
        return sorted(
            {key.split("/")[0] for key, call in self._calls.items() if call.state in MOVES[Move.TOMBSTONE][0]}
        )

    async def past_retention(self, organization: str, partitions: Collection[int], until: int, limit: int) -> list[str]:
        mine = (key for key in self._calls if key.startswith(f"{organization}/"))
        return [
            key for key in mine if self._calls[key].partition in partitions and self._is_past_retention(key, until)
        ][:limit]

    async def tombstone(self, calls: Collection[str], until: int) -> int:
        old = [key for key in calls if self._is_past_retention(key, until)]
        for key in old:
            call = self._calls[key]
            self._calls[key] = MemoryCall(
                MOVES[Move.TOMBSTONE][1], call.partition, call.last_arrival, call.opted_out, seen_at=self._clock()
            )
        return len(old)

    async def tombstoned(self, partitions: Collection[int], limit: int) -> list[str]:
        return [key for key, call in self._tombstones() if call.partition in partitions and not call.purged][:limit]

    async def mark_purged(self, calls: Collection[str]) -> None:
        for key in calls:
            if self._is(key, State.DELETED):
                self._calls[key] = replace(self._calls[key], purged=True)

    async def expired_tombstones(self, partitions: Collection[int], until: int, limit: int) -> list[str]:
        return [
            key for key, call in self._tombstones() if call.partition in partitions and self._is_expired(key, until)
        ][:limit]

    async def renew_tombstones(self, calls: Collection[str], until: int) -> None:
        for key in calls:
            if self._is_expired(key, until):
                self._calls[key] = replace(self._calls[key], seen_at=self._clock(), purged=False)

    async def expire_tombstones(self, calls: Collection[str], until: int) -> int:
        expired = [key for key in calls if self._is_expired(key, until)]
        for key in expired:
            del self._calls[key]
        return len(expired)

    async def opted_out_calls(
        self, partitions: Collection[int], after: tuple[int, str], before: int, limit: int
    ) -> list[CallArrival]:
        found = sorted(
            (call.last_arrival, key, call.partition)
            for key, call in self._calls.items()
            if call.opted_out and call.partition in partitions
        )
        following = [each for each in found if after < each[:2] and each[0] < before]
        return [CallArrival(key, partition, arrival) for arrival, key, partition in following[:limit]]

    def _tombstones(self) -> Iterator[tuple[str, MemoryCall]]:
        return ((key, call) for key, call in self._calls.items() if call.state is State.DELETED)

    def _is(self, key: str, state: State) -> bool:
        call = self._calls.get(key)
        return call is not None and call.state is state

    def _is_past_retention(self, key: str, until: int) -> bool:
        call = self._calls.get(key)
        return call is not None and call.state in MOVES[Move.TOMBSTONE][0] and call.last_arrival <= until

    def _is_expired(self, key: str, until: int) -> bool:
        call = self._calls.get(key)
        return call is not None and call.state is State.DELETED and call.purged and call.seen_at <= until
