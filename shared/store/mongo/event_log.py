"""The event log in MongoDB: the collection `call_events`."""

from collections.abc import Collection, Sequence
from typing import Any

from pymongo import InsertOne, UpdateOne
from pymongo.errors import BulkWriteError

from shared.contract.ids import call_of
from shared.store.ids import id_range, id_range_after, size_of
from shared.store.models import LogDocument
from shared.store.mongo.client import Collection as Documents
from shared.store.mongo.documents import log_document, logged_of, packed_events
from shared.store.mongo.errors import only_duplicates, translated_errors

_MANY = 10_000
_PAGE = 1_000


class MongoEventLog:
    """Implements `EventLog`."""

    _log: Documents

    async def insert(self, documents: Sequence[LogDocument]) -> None:
        writes = [InsertOne(log_document(document)) for document in documents]
        with translated_errors():
            try:
                await self._log.bulk_write(writes, ordered=False)
            except BulkWriteError as error:
                # The same offset range is there already: all or a part of this batch was delivered before.
                if not only_duplicates(error):
                    raise

    async def redact(self, documents: Sequence[LogDocument]) -> None:
        writes = [
            UpdateOne(
                {"_id": document.id, "redacted_at": {"$exists": False}},
                {
                    "$set": packed_events(document),
                    "$unset": {"contract": "", "vouched": ""},
                    "$currentDate": {"redacted_at": True},
                },
            )
            for document in documents
        ]
        if writes:
            with translated_errors():
                await self._log.bulk_write(writes, ordered=False)

    async def sizes(self, calls: Collection[str]) -> dict[str, int]:
        sizes = dict.fromkeys(calls, 0)
        with translated_errors():
            async for document in self._find(calls, {"_id": 1}):
                sizes[call_of(document["_id"])] += size_of(document["_id"])
        return sizes

    async def read(self, calls: Collection[str]) -> dict[str, list[LogDocument]]:
        found: dict[str, list[LogDocument]] = {call: [] for call in calls}
        with translated_errors():
            async for document in self._find(calls):
                found[call_of(document["_id"])].append(logged_of(document))
        return found

    async def ids(self, call: str) -> list[str]:
        with translated_errors():
            return [each["_id"] for each in await self._find([call], {"_id": 1}).to_list(None)]

    async def documents(self, ids: Sequence[str]) -> list[LogDocument]:
        with translated_errors():
            found = await self._log.find({"_id": {"$in": list(ids)}}, batch_size=_MANY).to_list(None)
        return [logged_of(document) for document in found]

    async def logged_calls(self, limit: int, after: str | None = None, organization: str | None = None) -> list[str]:
        first, end = id_range_after(after, organization)
        found: dict[str, None] = {}
        with translated_errors():
            while len(found) < limit:
                wanted = {"$gte": first} if end is None else {"$gte": first, "$lt": end}
                cursor = self._log.find({"_id": wanted}, {"_id": 1}).sort("_id", 1).limit(_PAGE)
                page = [call_of(document["_id"]) async for document in cursor]
                found |= dict.fromkeys(page)
                if len(page) < _PAGE:
                    break
                first = id_range(page[-1])[1]  # skips the rest of a long call
        return list(found)[:limit]

    async def unredacted(self, calls: Collection[str]) -> set[str]:
        if not calls:
            return set()
        with translated_errors():
            cursor = self._find(calls, {"_id": 1}, redacted_at={"$exists": False})
            return {call_of(document["_id"]) async for document in cursor}

    async def delete_log(self, calls: Collection[str]) -> None:
        if calls:
            with translated_errors():
                await self._log.delete_many(_of_calls(calls))

    def _find(self, calls: Collection[str], fields: dict[str, int] | None = None, **wanted: Any) -> Any:
        return self._log.find({**_of_calls(calls), **wanted}, fields, batch_size=_MANY)


def _of_calls(calls: Collection[str]) -> dict[str, Any]:
    return {"$or": [{"_id": {"$gte": first, "$lt": end}} for first, end in map(id_range, calls)]}
