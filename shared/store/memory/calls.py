"""The store in memory: the same contract, for tests that look at every step."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace

from shared.process.clock import now_ms
from shared.store.ids import LogDocument, size_of, span
from shared.store.memory.retention import MemoryCall, MemoryRetention
from shared.store.ports import CallHeader, CallSnapshot, CallUpdate, FoldResult, IdleCall, Lease, StaleCall, StoredCall
from shared.store.states import MAX_ATTEMPTS, MOVES, Move, State


class MemoryStore(MemoryRetention):
    """Keeps to the port; `clock` gives Unix milliseconds, `claim_ms` how long an unrenewed claim holds."""

    def __init__(self, clock: Callable[[], int] = now_ms, lease_ms: int = 60_000) -> None:
        super().__init__(clock)
        self._lease_ms = lease_ms

    async def prepare(self) -> None:
        """Nothing needs to be prepared."""

    async def ping(self) -> None:
        """Memory answers."""

    async def insert(self, documents: Sequence[LogDocument]) -> None:
        for document in documents:
            self.log.setdefault(document.id, document)

    async def read_states(self, calls: Collection[str]) -> dict[str, CallSnapshot]:
        return {
            key: CallSnapshot(call.state, call.opted_out, call.last_arrival, call.result.events if call.result else 0)
            for key in calls
            if (call := self._calls.get(key))
        }

    async def mark_stale(self, marks: Sequence[CallUpdate]) -> set[str]:
        deleted = {mark.call for mark in marks if mark.stale and self._is(mark.call, State.DELETED)}
        for key in deleted:
            self._calls[key] = replace(self._calls[key], seen_at=self._clock())
        for mark in marks:
            if mark.call in deleted:
                continue
            seen = self._calls.get(mark.call) or MemoryCall(MOVES[Move.SIGHT][1], mark.partition, mark.last_arrival)
            call = replace(
                seen,
                last_arrival=max(seen.last_arrival, mark.last_arrival),
                opted_out=seen.opted_out or mark.opted_out,
            )
            if mark.stale:
                call = replace(call, state=MOVES[Move.MARK][1], stale_since=self._clock())
            self._calls[mark.call] = call
        return deleted

    async def redact(self, documents: Sequence[LogDocument]) -> None:
        for document in documents:
            logged = self.log.get(document.id)
            if logged is not None and not logged.redacted_at:
                self.log[document.id] = replace(document, redacted_at=self._clock())

    async def stale_calls(self, partitions: Collection[int], limit: int) -> list[StaleCall]:
        found = [
            StaleCall(key, call.partition, call.last_arrival, call.stale_since)
            for key, call in self._calls.items()
            if call.partition in partitions and self._leasable(call)
        ]
        return sorted(found, key=lambda waiting: waiting.stale_since)[:limit]

    async def idle_calls(
        self, partitions: Collection[int], before: int, after: IdleCall | None, limit: int
    ) -> list[IdleCall]:
        found = [
            IdleCall(key, call.partition, call.last_arrival)
            for key, call in self._calls.items()
            if call.partition in partitions and call.state is State.LIVE and call.last_arrival < before
        ]
        behind = [each for each in found if after is None or _by_arrival(each) > _by_arrival(after)]
        return sorted(behind, key=_by_arrival)[:limit]

    async def lease(self, calls: Collection[str], token: str) -> list[Lease]:
        leases = []
        for key in calls:
            call = self._calls.get(key)
            if call and self._leasable(call):
                call = replace(
                    call,
                    state=MOVES[Move.CLAIM][1],
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

    async def sizes(self, calls: Collection[str]) -> dict[str, int]:
        return {key: sum(size_of(document.id) for document in self._documents(key)) for key in calls}

    async def read(self, calls: Collection[str]) -> dict[str, list[LogDocument]]:
        return {key: self._documents(key) for key in calls}

    async def ids(self, call: str) -> list[str]:
        return [document.id for document in self._documents(call)]

    async def documents(self, ids: Sequence[str]) -> list[LogDocument]:
        return [self.log[each] for each in ids if each in self.log]

    async def logged_calls(self, limit: int, after: str | None = None, organization: str | None = None) -> list[str]:
        first, end = span(after, organization)
        ids = [key for key in sorted(self.log) if first <= key and (end is None or key < end)]
        return list(dict.fromkeys(self.log[key].call for key in ids))[:limit]

    async def headers(self, calls: Collection[str]) -> dict[str, CallHeader]:
        return {key: _header(call) for key in calls if (call := self._calls.get(key))}

    async def store_results(self, leases: Sequence[tuple[Lease, FoldResult]]) -> set[str]:
        lost = set()
        for lease, result in leases:
            if not self._holds(lease.call, lease.token):
                lost.add(lease.call)
                self._worked(lease.call)
                continue
            move = Move.STORE_FINAL if result.final else Move.STORE_LIVE
            self._calls[lease.call] = replace(
                self._calls[lease.call], state=MOVES[move][1], opted_out=result.opted_out, attempts=0, result=result
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
                )

    async def find(self, call: str) -> StoredCall | None:
        found = self._calls.get(call)
        if found is None:
            return None
        body, etag = (found.result.body, found.result.etag) if found.result else (None, None)
        return StoredCall(found.state, found.opted_out, body, etag)

    def _worked(self, key: str) -> None:
        call = self._calls.get(key)
        if call is not None and call.state in MOVES[Move.CLAIM][0]:
            self._calls[key] = replace(call, attempts=1 if call.state is State.FOLDING else 0)

    def _leasable(self, call: MemoryCall) -> bool:
        ran_out = call.leased_at < self._clock() - self._lease_ms
        return call.state in MOVES[Move.CLAIM][0] and (call.state is not State.FOLDING or ran_out)

    def _holds(self, key: str, token: str) -> bool:
        call = self._calls.get(key)
        return call is not None and call.state is State.FOLDING and call.token == token


def _header(call: MemoryCall) -> CallHeader:
    versions = (call.result.rules_version, call.result.price_book_version) if call.result else (None, None)
    return CallHeader(call.state, call.partition, call.last_arrival, *versions)


def _by_arrival(silent: IdleCall) -> tuple[int, str]:
    return silent.last_arrival, silent.call
