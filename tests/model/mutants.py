"""Mistakes that the protocol avoids, one each: of a worker in how it uses the store, or of the store."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import cast

from shared.store.memory.calls import MemoryStore
from shared.store.models import CallSnapshot, CallUpdate, Lease, LogDocument
from shared.store.ports import Store
from shared.store.states import SETTLED, State
from tests.model.protocol import Port


class _Looking(Port):
    def __init__(self, store: Store) -> None:
        super().__init__(store)
        self.seen: Mapping[str, CallSnapshot] = {}

    async def read_states(self, calls: Collection[str]) -> dict[str, CallSnapshot]:
        self.seen = await self.store.read_states(calls)
        return dict(self.seen)

    def settled(self, call: str) -> bool:
        return call in self.seen and self.seen[call].state in SETTLED


class NoMark(_Looking):
    """Leaves a call that the look found settled as it is."""

    async def mark_stale(self, marks: Sequence[CallUpdate]) -> set[str]:
        return await self.store.mark_stale([mark for mark in marks if not self.settled(mark.call)])


class MarkIfUnchanged(_Looking):
    """Asks for marks that `Conditional` makes only if the state is still the one that the look found."""

    async def mark_stale(self, marks: Sequence[CallUpdate]) -> set[str]:
        return await cast(Conditional, self.store).mark_if([(mark, self.seen.get(mark.call)) for mark in marks])


class Conditional(MemoryStore):
    """Marks only what is as it was seen."""

    async def mark_if(self, marks: Sequence[tuple[CallUpdate, CallSnapshot | None]]) -> set[str]:
        now = await self.read_states([mark.call for mark, _ in marks])
        return await self.mark_stale([mark for mark, seen in marks if _state(now.get(mark.call)) is _state(seen)])


class SomebodyWasFirst(Conditional):
    """Takes it for done if there is a header by now where the look found none."""

    async def mark_if(self, marks: Sequence[tuple[CallUpdate, CallSnapshot | None]]) -> set[str]:
        now = await self.read_states([mark.call for mark, _ in marks])
        return await self.mark_stale([mark for mark, seen in marks if seen is not None or mark.call not in now])


class LookFirst(Port):
    """Inserts after the look."""

    def __init__(self, store: Store) -> None:
        super().__init__(store)
        self._kept: Sequence[LogDocument] = ()

    async def insert(self, documents: Sequence[LogDocument]) -> None:
        self._kept = documents

    async def read_states(self, calls: Collection[str]) -> dict[str, CallSnapshot]:
        seen = await self.store.read_states(calls)
        await super().insert(self._kept)
        return seen


class ReadFirst(Port):
    """Reads the log before the claim."""

    def __init__(self, store: Store) -> None:
        super().__init__(store)
        self._log: dict[str, list[LogDocument]] = {}

    async def lease(self, calls: Collection[str], token: str) -> list[Lease]:
        self._log = await self.store.read(calls)
        return await self.store.lease(calls, token)

    async def read(self, calls: Collection[str]) -> dict[str, list[LogDocument]]:
        return {call: self._log[call] for call in calls}


class NoRedaction(_Looking):
    """Leaves the redaction of what a batch brings to the folder."""

    async def redact(self, documents: Sequence[LogDocument]) -> None:
        if not self.seen:
            await super().redact(documents)


class QuietOptOut(Port):
    """Writes that a call opted out, but does not mark it."""

    async def mark_stale(self, marks: Sequence[CallUpdate]) -> set[str]:
        return await self.store.mark_stale([replace(mark, stale=mark.stale and not mark.opted_out) for mark in marks])


class AnyToken(MemoryStore):
    """Takes a result from whoever folded, as long as the call is being folded."""

    def _holds(self, key: str, token: str) -> bool:
        return super()._holds(key, token) or self._calls[key].state is State.FOLDING


class OffsetsAlone(MemoryStore):
    """Names a stretch by where it begins."""

    async def insert(self, documents: Sequence[LogDocument]) -> None:
        there = set(map(_beginning, self.log))
        await super().insert([document for document in documents if _beginning(document.id) not in there])


class Counting(MemoryStore):
    """Counts the attempts of folds that worked and came too late."""

    def _worked(self, key: str) -> None:
        """See above."""


class LogFirst(Port):
    """Deletes the log of an old call, and then makes its tombstone."""

    async def tombstone(self, calls: Collection[str], until: int) -> int:
        await self.store.delete_log(calls)
        return await self.store.tombstone(calls, until)


class OwnAlone(Port):
    """Asks that of a deleted call what the batch brought be deleted, and nothing else."""

    def __init__(self, store: Store) -> None:
        super().__init__(store)
        self._own: set[str] = set()

    async def insert(self, documents: Sequence[LogDocument]) -> None:
        self._own = {document.id for document in documents}
        await super().insert(documents)

    async def delete_log(self, calls: Collection[str]) -> None:
        await cast(DocumentsAlone, self.store).delete_documents(calls, frozenset(self._own))


class DocumentsAlone(MemoryStore):
    """Deletes these documents; all of the calls' where none are named, as retention does."""

    async def delete_documents(self, calls: Collection[str], ids: Collection[str]) -> None:
        if not ids:
            await self.delete_log(calls)
        for document_id in ids:
            self.log.pop(document_id, None)


class Waking(MemoryStore):
    """Marks what is deleted, too."""

    async def mark_stale(self, marks: Sequence[CallUpdate]) -> set[str]:
        for mark in marks:
            if mark.stale and self._is(mark.call, State.DELETED):
                self._calls[mark.call] = replace(self._calls[mark.call], state=State.STALE)
        return await super().mark_stale(marks)


def _state(seen: CallSnapshot | None) -> State | None:
    return seen.state if seen else None


def _beginning(document_id: str) -> str:
    place, span = document_id.rsplit("/", 1)
    return f"{place}/{span.split('-')[0]}"
