"""Reading the log in MongoDB, the collection `call_events`."""

from collections.abc import Collection, Sequence
from typing import Any

from shared.contract.ids import call_of
from shared.store.ids import LogDocument, bounds, size_of, span
from shared.store.mongo.client import Collection as Documents
from shared.store.mongo.documents import logged_of
from shared.store.mongo.errors import translated_errors

_MANY = 10_000
_PAGE = 1_000


class MongoLog:
    """The part of the port that reads the log."""

    _log: Documents

    async def sizes(self, calls: Collection[str]) -> dict[str, int]:
        sizes = dict.fromkeys(calls, 0)
        with translated_errors():
            async for document in self._ranges(calls, {"_id": 1}):
                sizes[call_of(document["_id"])] += size_of(document["_id"])
        return sizes

    async def read(self, calls: Collection[str]) -> dict[str, list[LogDocument]]:
        found: dict[str, list[LogDocument]] = {call: [] for call in calls}
        with translated_errors():
            async for document in self._ranges(calls, None):
                logged = logged_of(document)
                found[logged.call].append(logged)
        return found

    async def ids(self, call: str) -> list[str]:
        with translated_errors():
            return [each["_id"] for each in await self._ranges([call], {"_id": 1}).to_list(None)]

    async def documents(self, ids: Sequence[str]) -> list[LogDocument]:
        with translated_errors():
            found = await self._log.find({"_id": {"$in": list(ids)}}, batch_size=_MANY).to_list(None)
        return [logged_of(document) for document in found]

    async def logged_calls(self, limit: int, after: str | None = None, organization: str | None = None) -> list[str]:
        first, end = span(after, organization)
        found: dict[str, None] = {}
        with translated_errors():
            while len(found) < limit:
                wanted = {"$gte": first} if end is None else {"$gte": first, "$lt": end}
                cursor = self._log.find({"_id": wanted}, {"_id": 1}).sort("_id", 1).limit(_PAGE)
                page = [call_of(document["_id"]) async for document in cursor]
                found |= dict.fromkeys(page)
                if len(page) < _PAGE:
                    break
                first = bounds(page[-1])[1]  # the rest of a long call need not be looked at
        return list(found)[:limit]

    def _ranges(self, calls: Collection[str], fields: dict[str, int] | None) -> Any:
        ranges = [{"_id": {"$gte": first, "$lt": end}} for first, end in map(bounds, calls)]
        return self._log.find({"$or": ranges}, fields, batch_size=_MANY)
