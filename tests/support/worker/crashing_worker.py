"""The real worker, which dies at a named point.

    CALLFOLD_TEST_CRASH=after_insert python -m tests.support.worker.crashing_worker

It is `services.worker` with crash points around its store, its dead letters and its commits.
"""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from contextvars import ContextVar
from typing import Any, TypeVar, cast

from faust.types import TP

from services.worker.__main__ import main
from services.worker.consumer.consumer import ChunkConsumer, ChunkTransport
from services.worker.ingest.dead_letters import DeadLetter, DeadLetters
from shared.store.ids import LogDocument
from shared.store.ports import CallSnapshot, CallUpdate, FoldResult, Lease, Store
from tests.support.worker.crash_points import Crash, CrashPoint

T = TypeVar("T")

_part: ContextVar[str] = ContextVar("part", default="")
"""What a task is, by what it has done before: `flush` after an insert, `folder` after a claim, else neither."""


class CrashingDeadLetters:
    """Dead letters with crash points."""

    def __init__(self, dead_letters: DeadLetters, crash: Crash) -> None:
        self._dead_letters = dead_letters
        self._crash = crash

    async def publish(self, letters: Sequence[DeadLetter]) -> None:
        await by_halves(self._dead_letters.publish, letters, self._crash, CrashPoint.AMID_DEAD_LETTERS)
        await self._crash.reach(CrashPoint.AFTER_DEAD_LETTERS)


class CrashingStore:
    """A store with crash points."""

    def __init__(self, store: Store, crash: Crash) -> None:
        self._store = store
        self._crash = crash

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    async def insert(self, documents: Sequence[LogDocument]) -> None:
        _part.set("flush")
        await self._crash.reach(CrashPoint.BEFORE_INSERT)
        await by_halves(self._store.insert, documents, self._crash, CrashPoint.AMID_INSERT)
        await self._crash.reach(CrashPoint.AFTER_INSERT)

    async def read_states(self, calls: Collection[str]) -> dict[str, CallSnapshot]:
        seen = await self._store.read_states(calls)
        await self._crash.reach(CrashPoint.AFTER_LOOK)
        return seen

    async def mark_stale(self, marks: Sequence[CallUpdate]) -> set[str]:
        if not marks or _part.get() != "flush":
            return await self._store.mark_stale(marks)
        await self._crash.reach(CrashPoint.BEFORE_MARK)
        deleted = await by_halves(self._store.mark_stale, marks, self._crash, CrashPoint.AMID_MARK)
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
        _part.set("folder")
        leases = await self._store.lease(calls, token)
        if leases:
            await self._crash.reach(CrashPoint.AFTER_CLAIM)
        return leases

    async def read(self, calls: Collection[str]) -> dict[str, list[LogDocument]]:
        log = await self._store.read(calls)
        if _part.get() == "folder":
            await self._crash.reach(CrashPoint.AFTER_READ)
        return log

    async def store_results(self, leases: Sequence[tuple[Lease, FoldResult]]) -> set[str]:
        await self._crash.reach(CrashPoint.BEFORE_REPLACE)
        lost = await by_halves(self._store.store_results, leases, self._crash, CrashPoint.AMID_REPLACE)
        await self._crash.reach(CrashPoint.AFTER_REPLACE)
        return lost


class CrashingConsumer(ChunkConsumer):
    """A consumer with crash points around its commits."""

    crash = Crash(None)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.crash.commit = self.commit_all

    async def commit_all(self) -> None:
        """Commit what is acknowledged, after a commit under way, which may know less."""
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
    """Do `act` with all items at once; or, if the process is to end amid them, with one half after the other."""
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
    main(lambda store, letters: (cast(Store, CrashingStore(store, crash)), CrashingDeadLetters(letters, crash)))


if __name__ == "__main__":
    run(Crash.chosen())
