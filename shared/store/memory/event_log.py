"""The event log in memory."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace

from shared.contract.ids import call_of
from shared.store.ids import id_range, id_range_after, size_of
from shared.store.models import LogDocument
from shared.store.packed_log import pack, unpack


def _kept(document: LogDocument) -> LogDocument:
    """Return the document as it comes out of the form in which stores keep it."""
    return replace(document, events=unpack(pack(document.events)))


class MemoryEventLog:
    """Implements `EventLog`; `clock` gives Unix milliseconds."""

    def __init__(self, clock: Callable[[], int]) -> None:
        self.log: dict[str, LogDocument] = {}
        self._clock = clock

    async def insert(self, documents: Sequence[LogDocument]) -> None:
        for document in documents:
            self.log.setdefault(document.id, _kept(document))

    async def redact(self, documents: Sequence[LogDocument]) -> None:
        for document in documents:
            logged = self.log.get(document.id)
            if logged is not None and not logged.redacted_at:
                self.log[document.id] = LogDocument(document.id, _kept(document).events, self._clock())

    async def sizes(self, calls: Collection[str]) -> dict[str, int]:
        return {key: sum(size_of(document.id) for document in self._documents(key)) for key in calls}

    async def read(self, calls: Collection[str]) -> dict[str, list[LogDocument]]:
        return {key: self._documents(key) for key in calls}

    async def ids(self, call: str) -> list[str]:
        return [document.id for document in self._documents(call)]

    async def documents(self, ids: Sequence[str]) -> list[LogDocument]:
        return [self.log[each] for each in ids if each in self.log]

    async def logged_calls(self, limit: int, after: str | None = None, organization: str | None = None) -> list[str]:
        first, end = id_range_after(after, organization)
        ids = [key for key in sorted(self.log) if first <= key and (end is None or key < end)]
        return list(dict.fromkeys(map(call_of, ids)))[:limit]

    async def unredacted(self, calls: Collection[str]) -> set[str]:
        return {key for key in calls if any(not document.redacted_at for document in self._documents(key))}

    async def delete_log(self, calls: Collection[str]) -> None:
        for document in [document for key in calls for document in self._documents(key)]:
            del self.log[document.id]

    def _documents(self, call: str) -> list[LogDocument]:
        first, end = id_range(call)
        return [self.log[key] for key in sorted(self.log) if first <= key < end]
