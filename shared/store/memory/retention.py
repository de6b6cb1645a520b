"""What must not be kept, in memory, and what memory keeps of a call."""

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, replace

from shared.store.ids import LogDocument, bounds
from shared.store.ports import FoldResult
from shared.store.retention import OptedOut
from shared.store.states import MOVES, Move, State


@dataclass(frozen=True, slots=True)
class MemoryCall:
    """The call document; `seen_at` and `emptied` are a tombstone's."""

    state: State
    partition: int
    last_arrival: int
    opted_out: bool = False
    token: str = ""
    stale_since: int = 0
    leased_at: int = 0
    attempts: int = 0
    result: FoldResult | None = None
    seen_at: int = 0
    purged: bool = False


class MemoryRetention:
    """Keeps to its part of the port."""

    def __init__(self, clock: Callable[[], int]) -> None:
        self.log: dict[str, LogDocument] = {}
        self._calls: dict[str, MemoryCall] = {}
        self._clock = clock

    async def organizations(self) -> list[str]:
        return sorted({key.split("/")[0] for key, call in self._calls.items() if call.state in MOVES[Move.BURY][0]})

    async def past_retention(self, organization: str, partitions: Collection[int], until: int, limit: int) -> list[str]:
        mine = (key for key in self._calls if key.startswith(f"{organization}/"))
        return [key for key in mine if self._calls[key].partition in partitions and self._is_outdated(key, until)][
            :limit
        ]

    async def tombstone(self, calls: Collection[str], until: int) -> int:
        outdated = [key for key in calls if self._is_outdated(key, until)]
        for key in outdated:
            call = self._calls[key]
            self._calls[key] = MemoryCall(
                MOVES[Move.BURY][1], call.partition, call.last_arrival, call.opted_out, seen_at=self._clock()
            )
        return len(outdated)

    async def tombstoned(self, partitions: Collection[int], limit: int) -> list[str]:
        return [key for key, call in self._tombstones() if call.partition in partitions and not call.purged][:limit]

    async def delete_log(self, calls: Collection[str]) -> None:
        for document in [document for key in calls for document in self._documents(key)]:
            del self.log[document.id]

    async def mark_purged(self, calls: Collection[str]) -> None:
        for key in calls:
            if self._is(key, State.DELETED):
                self._calls[key] = replace(self._calls[key], purged=True)

    async def expired_tombstones(self, partitions: Collection[int], until: int, limit: int) -> list[str]:
        return [
            key for key, call in self._tombstones() if call.partition in partitions and self._is_outlived(key, until)
        ][:limit]

    async def renew_tombstones(self, calls: Collection[str], until: int) -> None:
        for key in calls:
            if self._is_outlived(key, until):
                self._calls[key] = replace(self._calls[key], seen_at=self._clock(), purged=False)

    async def expire_tombstones(self, calls: Collection[str], until: int) -> int:
        outlived = [key for key in calls if self._is_outlived(key, until)]
        for key in outlived:
            del self._calls[key]
        return len(outlived)

    async def opted_out_calls(
        self, partitions: Collection[int], after: tuple[int, str], before: int, limit: int
    ) -> list[OptedOut]:
        found = sorted(
            (call.last_arrival, key, call.partition)
            for key, call in self._calls.items()
            if call.opted_out and call.partition in partitions
        )
        behind = [each for each in found if after < each[:2] and each[0] < before]
        return [OptedOut(key, partition, arrival) for arrival, key, partition in behind[:limit]]

    async def unredacted(self, calls: Collection[str]) -> set[str]:
        return {key for key in calls if any(not document.redacted_at for document in self._documents(key))}

    def _tombstones(self) -> Iterator[tuple[str, MemoryCall]]:
        return ((key, call) for key, call in self._calls.items() if call.state is State.DELETED)

    def _is(self, key: str, state: State) -> bool:
        call = self._calls.get(key)
        return call is not None and call.state is state

    def _is_outdated(self, key: str, until: int) -> bool:
        call = self._calls.get(key)
        return call is not None and call.state in MOVES[Move.BURY][0] and call.last_arrival <= until

    def _is_outlived(self, key: str, until: int) -> bool:
        call = self._calls.get(key)
        return call is not None and call.state is State.DELETED and call.purged and call.seen_at <= until

    def _documents(self, call: str) -> list[LogDocument]:
        first, end = bounds(call)
        return [self.log[key] for key in sorted(self.log) if first <= key < end]
