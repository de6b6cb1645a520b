"""The real worker, which ends at a named crash point.

    CALLFOLD_TEST_CRASH=after_insert python -m tests.support.worker.crashing_worker

It is `services.worker` with crash points around its store, its dead letters and its commits.
"""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import replace
from typing import Any, TypeVar, cast

from faust.types import TP

from services.worker.__main__ import main
from services.worker.consumer.consumer import ChunkConsumer, ChunkTransport
from shared.kafka.producer import OutgoingRecord, RecordPublisher
from shared.store.models import CallSnapshot, CallUpdate, FoldResult, Lease, LogDocument
from shared.store.ports import Store
from tests.support.worker.crash_points import Crash, CrashPoint

T = TypeVar("T")

_part: ContextVar[str] = ContextVar("part", default="")
"""What a task is, by what it did before: `batch` after an insert, `fold` after a lease, else neither."""


class CrashingDeadLetters:
    """Dead letters before and after which the process may end."""

    def __init__(self, dead_letters: RecordPublisher, crash: Crash) -> None:
        self._dead_letters = dead_letters
        self._crash = crash

    async def publish(self, records: Sequence[OutgoingRecord]) -> None:
        await by_halves(self._dead_letters.publish, records, self._crash, CrashPoint.AMID_DEAD_LETTERS)
        await self._crash.reach(CrashPoint.AFTER_DEAD_LETTERS)


class CrashingStore:
    """A store before and after whose writes the process may end."""

    def __init__(self, store: Store, crash: Crash) -> None:
        self._store = store
        self._crash = crash

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    async def insert(self, documents: Sequence[LogDocument]) -> None:
        _part.set("batch")
        await self._crash.reach(CrashPoint.BEFORE_INSERT)
        await by_halves(self._store.insert, documents, self._crash, CrashPoint.AMID_INSERT)
        await self._crash.reach(CrashPoint.AFTER_INSERT)

    async def read_states(self, calls: Collection[str]) -> dict[str, CallSnapshot]:
        snapshots = await self._store.read_states(calls)
        await self._crash.reach(CrashPoint.AFTER_READ_STATES)
        return snapshots

    async def mark_stale(self, updates: Sequence[CallUpdate]) -> set[str]:
        if not updates or _part.get() != "batch":
            return await self._store.mark_stale(updates)
        await self._crash.reach(CrashPoint.BEFORE_MARK)
        deleted = await by_halves(self._store.mark_stale, updates, self._crash, CrashPoint.AMID_MARK)
        await self._crash.reach(CrashPoint.AFTER_MARK)
        return deleted

    async def redact(self, documents: Sequence[LogDocument]) -> None:
        part = _part.get()
        if not part:
            await self._store.redact(documents)
            return
        await self._crash.reach(CrashPoint(f"before_{part}_redaction"))
        await by_halves(self._store.redact, documents, self._crash, CrashPoint(f"amid_{part}_redaction"))
        await self._crash.reach(CrashPoint(f"after_{part}_redaction"))

    async def lease(self, calls: Collection[str], token: str) -> list[Lease]:
        _part.set("fold")
        leases = await self._store.lease(calls, token)
        if leases:
            await self._crash.reach(CrashPoint.AFTER_LEASE)
        return leases

    async def read(self, calls: Collection[str]) -> dict[str, list[LogDocument]]:
        log = await self._store.read(calls)
        if _part.get() == "fold":
            await self._crash.reach(CrashPoint.AFTER_READ)
        return log

    async def store_results(self, leases: Sequence[tuple[Lease, FoldResult]]) -> set[str]:
        await self._crash.reach(CrashPoint.BEFORE_STORE)
        lost = await by_halves(self._store.store_results, leases, self._crash, CrashPoint.AMID_STORE)
        await self._crash.reach(CrashPoint.AFTER_STORE)
        return lost


class CrashingConsumer(ChunkConsumer):
    """A consumer before and after whose commits the process may end."""

    crash = Crash(None)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.crash.commit = self.commit_all

    async def commit_all(self) -> None:
        """Commit what is acknowledged, after a commit in progress, which may know less."""
        await self.commit()
        await self.commit()

    async def _commit(self, offsets: Mapping[TP, int]) -> bool:
        await self.crash.reach(CrashPoint.BEFORE_COMMIT)
        committed: bool = await super()._commit(offsets)
        if committed:
            await self.crash.reach(CrashPoint.AFTER_COMMIT)
        return committed


async def by_halves(
    act: Callable[[Sequence[T]], Awaitable[set[str] | None]], items: Sequence[T], crash: Crash, amid: CrashPoint
) -> set[str]:
    """Call `act` with all items; or, if the process is to end amid them, with one half after the other."""
    half = len(items) // 2
    if not half or not crash.error_type(amid):
        return await act(items) or set()
    first = await act(items[:half])
    await crash.reach(amid)
    return (first or set()) | (await act(items[half:]) or set())


def run(crash: Crash) -> None:
    """Run the worker until it crashes."""
    CrashingConsumer.crash = crash
    ChunkTransport.Consumer = CrashingConsumer
    main(
        lambda dependencies: replace(
            dependencies,
            store=cast(Store, CrashingStore(dependencies.store, crash)),
            dead_letters=CrashingDeadLetters(dependencies.dead_letters, crash),
        )
    )


if __name__ == "__main__":
    run(Crash.chosen())
