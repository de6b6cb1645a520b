"""The real worker, which dies at a named point.

    CALLFOLD_TEST_CRASH=after_insert python -m tests.support.crashing_worker

It is `services.worker` but for what stands around its store, its dead letters and its commits.
"""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from contextvars import ContextVar
from typing import Any, TypeVar, cast

from faust.types import TP

from services.worker.__main__ import main
from services.worker.chunks import ChunkConsumer, ChunkTransport
from services.worker.dead_letters import DeadLetter, DeadLetters
from shared.store.log import LogDocument
from shared.store.port import Claim, Mark, Result, Sighting, Store
from tests.support.crash_points import Crash, CrashPoint

T = TypeVar("T")

_folds: ContextVar[bool] = ContextVar("folds", default=False)
"""Whether this task has claimed calls: then it is the folder that redacts, and else the flush."""


class CrashingDeadLetters:
    """Dead letters around which the process may end."""

    def __init__(self, dead_letters: DeadLetters, crash: Crash) -> None:
        self._dead_letters = dead_letters
        self._crash = crash

    async def publish(self, letters: Sequence[DeadLetter]) -> None:
        await by_halves(self._dead_letters.publish, letters, self._crash, CrashPoint.AMID_DEAD_LETTERS)
        self._crash.reach(CrashPoint.AFTER_DEAD_LETTERS)


class CrashingStore:
    """A store around which the process may end; what no point is about is the store's own."""

    def __init__(self, store: Store, crash: Crash) -> None:
        self._store = store
        self._crash = crash

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    async def insert(self, documents: Sequence[LogDocument]) -> None:
        self._crash.reach(CrashPoint.BEFORE_INSERT)
        await by_halves(self._store.insert, documents, self._crash, CrashPoint.AMID_INSERT)
        self._crash.reach(CrashPoint.AFTER_INSERT)

    async def look(self, calls: Collection[str]) -> dict[str, Sighting]:
        seen = await self._store.look(calls)
        self._crash.reach(CrashPoint.AFTER_LOOK)
        return seen

    async def mark(self, marks: Sequence[Mark]) -> None:
        if not marks:
            return
        self._crash.reach(CrashPoint.BEFORE_MARK)
        await by_halves(self._store.mark, marks, self._crash, CrashPoint.AMID_MARK)
        self._crash.reach(CrashPoint.AFTER_MARK)

    async def redact(self, documents: Sequence[LogDocument]) -> None:
        where = "folder" if _folds.get() else "flush"
        self._crash.reach(CrashPoint(f"before_{where}_redaction"))
        await by_halves(self._store.redact, documents, self._crash, CrashPoint(f"amid_{where}_redaction"))
        self._crash.reach(CrashPoint(f"after_{where}_redaction"))

    async def claim(self, calls: Collection[str], token: str) -> list[Claim]:
        _folds.set(True)
        claims = await self._store.claim(calls, token)
        if claims:
            self._crash.reach(CrashPoint.AFTER_CLAIM)
        return claims

    async def read(self, calls: Collection[str]) -> dict[str, list[LogDocument]]:
        log = await self._store.read(calls)
        self._crash.reach(CrashPoint.AFTER_READ)
        return log

    async def replace(self, claims: Sequence[tuple[Claim, Result]]) -> set[str]:
        self._crash.reach(CrashPoint.BEFORE_REPLACE)
        lost: set[str] = set()

        async def replace(some: Sequence[tuple[Claim, Result]]) -> None:
            lost.update(await self._store.replace(some))

        await by_halves(replace, claims, self._crash, CrashPoint.AMID_REPLACE)
        self._crash.reach(CrashPoint.AFTER_REPLACE)
        return lost


class CrashingConsumer(ChunkConsumer):
    """A consumer around whose commits the process may end."""

    crash = Crash(None)

    async def _commit(self, offsets: Mapping[TP, int]) -> bool:
        self.crash.reach(CrashPoint.BEFORE_COMMIT)
        committed: bool = await super()._commit(offsets)
        if committed:
            self.crash.reach(CrashPoint.AFTER_COMMIT)
        return committed


async def by_halves(
    act: Callable[[Sequence[T]], Awaitable[None]], items: Sequence[T], crash: Crash, amid: CrashPoint
) -> None:
    """Do `act` with all items at once; or, if the process is to end amid them, with one half after the other."""
    half = len(items) // 2
    if half and crash.waits_for(amid):
        await act(items[:half])
        crash.reach(amid)
        await act(items[half:])
    else:
        await act(items)


def run(crash: Crash) -> None:
    """Run the worker until it crashes."""
    CrashingConsumer.crash = crash
    ChunkTransport.Consumer = CrashingConsumer
    main(lambda store, letters: (cast(Store, CrashingStore(store, crash)), CrashingDeadLetters(letters, crash)))


if __name__ == "__main__":
    run(Crash.chosen())
