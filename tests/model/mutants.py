"""Mutants: each makes one mistake that the protocol avoids, in how a worker uses the store, or in the store."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import cast

from shared.store.memory.calls import MemoryStore
from shared.store.models import CallSnapshot, CallUpdate, Lease, LogDocument
from shared.store.ports import Store
from shared.store.states import SETTLED, State
from tests.model.protocol import Port, Protocol


class _ReadingStates(Port):
    def __init__(self, store: Store) -> None:
        super().__init__(store)
        self.seen: Mapping[str, CallSnapshot] = {}

    async def read_states(self, calls: Collection[str]) -> dict[str, CallSnapshot]:
        self.seen = await self.store.read_states(calls)
        return dict(self.seen)

    def settled(self, call: str) -> bool:
        return call in self.seen and self.seen[call].state in SETTLED


class NeverMarksStale(_ReadingStates):
    """Does not mark calls that it has read as settled."""

    async def mark_stale(self, updates: Sequence[CallUpdate]) -> set[str]:
        return await self.store.mark_stale([each for each in updates if not self.settled(each.call)])


class MarksIfUnchanged(_ReadingStates):
    """Asks for updates that `Conditional` writes only if the state is still the one that was read."""

    async def mark_stale(self, updates: Sequence[CallUpdate]) -> set[str]:
        return await cast(Conditional, self.store).mark_if_unchanged(
            [(each, self.seen.get(each.call)) for each in updates]
        )


class Conditional(MemoryStore):
    """Writes updates only of calls whose state is the one that was read."""

    async def mark_if_unchanged(self, updates: Sequence[tuple[CallUpdate, CallSnapshot | None]]) -> set[str]:
        now = await self.read_states([each.call for each, _ in updates])
        return await self.mark_stale([each for each, seen in updates if _state(now.get(each.call)) is _state(seen)])


class TakesAHeaderForDone(Conditional):
    """Writes no update of a call that has a header now and had none when it was read."""

    async def mark_if_unchanged(self, updates: Sequence[tuple[CallUpdate, CallSnapshot | None]]) -> set[str]:
        now = await self.read_states([each.call for each, _ in updates])
        return await self.mark_stale([each for each, seen in updates if seen is not None or each.call not in now])


class ReadsStatesFirst(Port):
    """Inserts after it has read the states."""

    def __init__(self, store: Store) -> None:
        super().__init__(store)
        self._kept: Sequence[LogDocument] = ()

    async def insert(self, documents: Sequence[LogDocument]) -> None:
        self._kept = documents

    async def read_states(self, calls: Collection[str]) -> dict[str, CallSnapshot]:
        seen = await self.store.read_states(calls)
        await super().insert(self._kept)
        return seen


class ReadsLogFirst(Port):
    """Reads the log before it leases."""

    def __init__(self, store: Store) -> None:
        super().__init__(store)
        self._log: dict[str, list[LogDocument]] = {}

    async def lease(self, calls: Collection[str], token: str) -> list[Lease]:
        self._log = await self.store.read(calls)
        return await self.store.lease(calls, token)

    async def read(self, calls: Collection[str]) -> dict[str, list[LogDocument]]:
        return {call: self._log[call] for call in calls}


class NeverRedactsBatches(_ReadingStates):
    """Leaves the redaction of a batch to the fold loop."""

    async def redact(self, documents: Sequence[LogDocument]) -> None:
        if not self.seen:
            await super().redact(documents)


class OptsOutWithoutMarking(Port):
    """Writes that a call opted out, but does not mark it stale."""

    async def mark_stale(self, updates: Sequence[CallUpdate]) -> set[str]:
        return await self.store.mark_stale([replace(each, stale=each.stale and not each.opted_out) for each in updates])


class AcceptsAnyToken(MemoryStore):
    """Stores any result of a call that is being folded."""

    def _holds(self, key: str, token: str) -> bool:
        return super()._holds(key, token) or self._calls[key].state is State.FOLDING


class IdsWithoutHash(MemoryStore):
    """Identifies an offset range by its first offset."""

    async def insert(self, documents: Sequence[LogDocument]) -> None:
        there = set(map(_first_offset, self.log))
        await super().insert([document for document in documents if _first_offset(document.id) not in there])


class CountsOvertakenFolds(MemoryStore):
    """Counts the attempts of folds that worked and were overtaken."""

    def _reset_attempts(self, key: str) -> None:
        pass


class DeletesLogFirst(Port):
    """Deletes the log of an old call before it writes the tombstone."""

    async def tombstone(self, calls: Collection[str], until: int) -> int:
        await self.store.delete_log(calls)
        return await self.store.tombstone(calls, until)


class DeletesItsBatchOnly(Port):
    """Deletes only the batch's own documents of a deleted call."""

    def __init__(self, store: Store) -> None:
        super().__init__(store)
        self._own: set[str] = set()

    async def insert(self, documents: Sequence[LogDocument]) -> None:
        self._own = {document.id for document in documents}
        await super().insert(documents)

    async def delete_log(self, calls: Collection[str]) -> None:
        await cast(DeletesDocuments, self.store).delete_documents(calls, frozenset(self._own))


class DeletesDocuments(MemoryStore):
    """Deletes these documents; all documents of the calls if none are named, as retention does."""

    async def delete_documents(self, calls: Collection[str], ids: Collection[str]) -> None:
        if not ids:
            await self.delete_log(calls)
        for document_id in ids:
            self.log.pop(document_id, None)


class MarksDeletedCalls(MemoryStore):
    """Marks deleted calls stale too."""

    async def mark_stale(self, updates: Sequence[CallUpdate]) -> set[str]:
        for each in updates:
            if each.stale and self._is(each.call, State.DELETED):
                self._calls[each.call] = replace(self._calls[each.call], state=State.STALE)
        return await super().mark_stale(updates)


def _state(seen: CallSnapshot | None) -> State | None:
    return seen.state if seen else None


def _first_offset(document_id: str) -> str:
    source, offsets = document_id.rsplit("/", 1)
    return f"{source}/{offsets.split('-')[0]}"


WRONG, UNENDED, BROKEN = "the record is not that of all events", "has ended is live", "has ended is broken"
LEFT, UNDELETED = "content is left", "events are left of a call that was deleted"
MUTANTS: Mapping[str, tuple[Protocol, str, str]] = {
    "never marks stale": (Protocol(NeverMarksStale), "late", WRONG),
    "marks stale if the state is unchanged": (Protocol(MarksIfUnchanged, Conditional), "late", WRONG),
    "takes a new header for done": (Protocol(MarksIfUnchanged, TakesAHeaderForDone), "from nothing", UNENDED),
    "reads states before the insert": (Protocol(ReadsStatesFirst), "late", WRONG),
    "reads the log before the lease": (Protocol(ReadsLogFirst), "late", WRONG),
    "accepts any token": (Protocol(memory=AcceptsAnyToken), "late", WRONG),
    "counts the attempt of an overtaken fold": (
        Protocol(memory=CountsOvertakenFolds),
        "folds overtaking each other",
        BROKEN,
    ),
    "acknowledges before the update": (Protocol(redelivers=False), "late", WRONG),
    "identifies an offset range by its first offset": (
        Protocol(memory=IdsWithoutHash),
        "a batch of two workers, cut differently",
        UNENDED,
    ),
    "never redacts its own batch": (Protocol(NeverRedactsBatches), "content of a live call after opting out", LEFT),
    "does not mark a call stale that opts out": (Protocol(OptsOutWithoutMarking), "opting out", WRONG),
    "deletes the log before the tombstone": (Protocol(DeletesLogFirst), "late while deleted", BROKEN),
    "deletes only its own documents of a deleted call": (
        Protocol(DeletesItsBatchOnly, DeletesDocuments),
        "late while deleted",
        UNDELETED,
    ),
    "marks deleted calls stale": (Protocol(memory=MarksDeletedCalls), "late while deleted", BROKEN),
}
"""Each mutant by its name: the protocol, the case in which it ends wrongly, and what is wrong then."""
