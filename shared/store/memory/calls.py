"""The queue of calls and their records in memory."""

from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace

from shared.process.clock import now_ms
from shared.store.memory.event_log import MemoryEventLog
from shared.store.memory.fleet import MemoryFleet
from shared.store.memory.retention import MemoryCall, MemoryRetention
from shared.store.memory.watermarks import MemoryWatermarks
from shared.store.models import (
    MAX_RECORD_BYTES,
    CallArrival,
    CallCounts,
    CallFilter,
    CallHeader,
    CallSnapshot,
    CallSummary,
    CallUpdate,
    FoldResult,
    Lease,
    ProblemCall,
    RecentCall,
    StaleCall,
    StoredCall,
)
from shared.store.states import MAX_ATTEMPTS, MOVES, WAITING, Move, State
from shared.store.zstd_frame import compress, read_frame


class MemoryStore(MemoryEventLog, MemoryFleet, MemoryRetention, MemoryWatermarks):
    """Implements `Store`; `clock` gives Unix milliseconds, `lease_ms` is how long a lease holds that is not renewed."""

    def __init__(self, clock: Callable[[], int] = now_ms, lease_ms: int = 60_000) -> None:
        super().__init__(clock)
        self._calls: dict[str, MemoryCall] = {}
        self._fleet = {}
        self._watermarks = {}
        self._lease_ms = lease_ms

    async def prepare(self) -> None:
        pass

    async def ping(self) -> None:
        pass

    async def now(self) -> int:
        return self._clock()

    async def read_states(self, calls: Collection[str]) -> dict[str, CallSnapshot]:
        return {
            key: CallSnapshot(call.state, call.opted_out, call.last_arrival, call.result.events if call.result else 0)
            for key in calls
            if (call := self._calls.get(key))
        }

    async def mark_stale(self, updates: Sequence[CallUpdate]) -> set[str]:
        deleted = {update.call for update in updates if update.stale and self._is(update.call, State.DELETED)}
        for key in deleted:
            self._calls[key] = replace(self._calls[key], seen_at=self._clock())
        for update in updates:
            if update.call not in deleted:
                self._update(update)
        return deleted

    def _update(self, update: CallUpdate) -> None:
        first_seen = MemoryCall(MOVES[Move.FIRST_SEEN][1], update.partition, update.last_arrival)
        known = self._calls.get(update.call, first_seen)
        call = replace(
            known,
            last_arrival=max(known.last_arrival, update.last_arrival),
            opted_out=known.opted_out or update.opted_out,
        )
        if update.stale:
            call = replace(call, state=MOVES[Move.MARK_STALE][1], stale_since=self._clock())
        self._calls[update.call] = call

    async def stale_calls(self, partitions: Collection[int], limit: int) -> list[StaleCall]:
        found = [
            StaleCall(key, call.partition, call.last_arrival, call.stale_since)
            for key, call in self._calls.items()
            if call.partition in partitions and self._leasable(call)
        ]
        return sorted(found, key=lambda stale: stale.stale_since)[:limit]

    async def call_counts(self, partitions: Collection[int], limit: int) -> CallCounts:
        calls = [call for call in self._calls.values() if call.partition in partitions]
        counted = Counter(call.state for call in calls)
        waiting = [call.stale_since for call in calls if call.state in WAITING]
        live, broken = min(counted[State.LIVE], limit), min(counted[State.BROKEN], limit)
        return CallCounts(live, min(len(waiting), limit), broken, min(waiting, default=None))

    async def idle_calls(
        self, partitions: Collection[int], before: int, after: CallArrival | None, limit: int
    ) -> list[CallArrival]:
        found = [
            CallArrival(key, call.partition, call.last_arrival)
            for key, call in self._calls.items()
            if call.partition in partitions and call.state is State.LIVE and call.last_arrival < before
        ]
        following = [each for each in found if after is None or _by_arrival(each) > _by_arrival(after)]
        return sorted(following, key=_by_arrival)[:limit]

    async def lease(self, calls: Collection[str], token: str) -> list[Lease]:
        leases = []
        for key in calls:
            call = self._calls.get(key)
            if call and self._leasable(call):
                call = replace(
                    call,
                    state=MOVES[Move.LEASE][1],
                    token=token,
                    leased_at=self._clock(),
                    attempts=call.attempts + 1,
                )
                self._calls[key] = call
                leases.append(Lease(key, token, call.partition, call.last_arrival, call.attempts, call.opted_out))
        return leases

    async def renew(self, calls: Collection[str], token: str) -> None:
        for key in calls:
            if self._holds(key, token):
                self._calls[key] = replace(self._calls[key], leased_at=self._clock())

    async def release(self, calls: Collection[str], token: str) -> None:
        for key in calls:
            call = self._calls.get(key)
            if (
                call is not None
                and call.token == token
                and call.state in {State.FOLDING, State.STALE}
                and call.attempts
            ):
                self._calls[key] = replace(call, state=MOVES[Move.RELEASE][1], attempts=call.attempts - 1, token="")

    async def headers(self, calls: Collection[str]) -> dict[str, CallHeader]:
        return {key: _header(call) for key in calls if (call := self._calls.get(key))}

    async def store_results(self, results: Sequence[tuple[Lease, FoldResult]]) -> set[str]:
        lost = set()
        for lease, result in results:
            if not self._holds(lease.call, lease.token):
                lost.add(lease.call)
                self._reset_attempts(lease.call)
                continue
            move = Move.STORE_FINAL if result.final else Move.STORE_LIVE
            fits = len(result.body) <= MAX_RECORD_BYTES
            self._calls[lease.call] = replace(
                self._calls[lease.call],
                state=MOVES[move][1],
                opted_out=result.opted_out,
                attempts=0,
                result=replace(result, body=b""),
                frame=read_frame(compress(result.body), MAX_RECORD_BYTES) if fits else None,
            )
        return lost

    async def mark_broken(self, leases: Sequence[Lease]) -> None:
        for lease in leases:
            if self._holds(lease.call, lease.token):
                self._calls[lease.call] = replace(
                    self._calls[lease.call],
                    state=MOVES[Move.BREAK][1],
                    attempts=MAX_ATTEMPTS - 1,
                    token="",
                    result=None,
                    frame=None,
                )

    async def problem_calls(
        self, organization: str | None, since: int, after: ProblemCall | None, limit: int
    ) -> list[ProblemCall]:
        mine = "" if organization is None else f"{organization}/"
        found = [
            ProblemCall(key, call.last_arrival, call.result.problems)
            for key, call in self._calls.items()
            if key.startswith(mine)
            and call.last_arrival >= since
            and call.result
            and any(call.result.problems.values())
        ]
        following = [each for each in found if after is None or _latest_first(each) > _latest_first(after)]
        return sorted(following, key=_latest_first)[:limit]

    async def recent_calls(self, wanted: CallFilter, after: RecentCall | None, limit: int) -> list[RecentCall]:
        mine = "" if wanted.organization is None else f"{wanted.organization}/"
        found = [
            RecentCall(key, call.last_arrival)
            for key, call in self._calls.items()
            if key.startswith(mine)
            and call.state in wanted.states
            and call.state is not State.DELETED
            and call.partition in wanted.partitions
            and call.last_arrival >= wanted.since
        ]
        following = [each for each in found if after is None or _latest_first(each) > _latest_first(after)]
        return sorted(following, key=_latest_first)[:limit]

    async def summaries(self, calls: Collection[str]) -> dict[str, CallSummary]:
        found = {key: call for key in calls if (call := self._calls.get(key))}
        return {key: _summary(key, call) for key, call in found.items() if call.state is not State.DELETED}

    async def find(self, call: str) -> StoredCall | None:
        found = self._calls.get(call)
        if found is None:
            return None
        etag = found.result.etag if found.result else None
        return StoredCall(found.state, found.opted_out, etag, found.frame)

    def _reset_attempts(self, key: str) -> None:
        call = self._calls.get(key)
        if call is not None and call.state in MOVES[Move.LEASE][0]:
            self._calls[key] = replace(call, attempts=1 if call.state is State.FOLDING else 0)

    def _leasable(self, call: MemoryCall) -> bool:
        expired = call.leased_at < self._clock() - self._lease_ms
        return call.state in MOVES[Move.LEASE][0] and (call.state is not State.FOLDING or expired)

    def _holds(self, key: str, token: str) -> bool:
        call = self._calls.get(key)
        return call is not None and call.state is State.FOLDING and call.token == token


def _header(call: MemoryCall) -> CallHeader:
    versions = (call.result.rules_version, call.result.price_book_version) if call.result else (None, None)
    return CallHeader(call.state, call.partition, call.last_arrival, *versions)


def _summary(key: str, call: MemoryCall) -> CallSummary:
    summary = CallSummary(
        key,
        call.state,
        call.last_arrival,
        problem_count=sum(call.result.problems.values()) if call.result else 0,
        stale_since=call.stale_since if call.state in WAITING else None,
        attempts=call.attempts,
    )
    if call.result is None or call.frame is None:
        return summary
    record = call.result.record
    return replace(
        summary,
        status=record["call_status"],
        started_at=record["start_timestamp"],
        duration=record["call_duration"],
        cost=record["call_cost"]["combined_cost"] if record["call_cost"] else None,
    )


def _by_arrival(call: CallArrival) -> tuple[int, str]:
    return call.last_arrival, call.call


def _latest_first(call: ProblemCall | RecentCall) -> tuple[int, str]:
    return -call.last_arrival, call.call
