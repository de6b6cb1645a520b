"""How many calls there are by state, in MongoDB: the collection `calls`, by its indexes alone."""

from collections.abc import Collection
from typing import Any

from pymongo import IndexModel

from shared.contract.timestamps import to_unix_ms
from shared.store.models import CallCounts
from shared.store.mongo.client import Collection as Documents
from shared.store.mongo.errors import translated_errors
from shared.store.states import WAITING, State

IDLE_CALLS_INDEX = IndexModel(
    # All fields of the query and its result, so that the index alone answers it: the documents can be large.
    [("open", 1), ("partition", 1), ("state", 1), ("last_arrival", 1), ("_id", 1)],
    name="closer",  # the name that existing databases have
    partialFilterExpression={"open": True},
)
BROKEN_CALLS_INDEX = IndexModel(
    [("state", 1), ("partition", 1)], name="broken", partialFilterExpression={"state": State.BROKEN}
)


class MongoCallCounts:
    """Implements the part of `CallRecords` that counts calls."""

    _calls: Documents

    async def call_counts(self, partitions: Collection[int], limit: int) -> CallCounts:
        owned = {"partition": {"$in": sorted(partitions)}}
        waiting = {**owned, "open": True, "state": {"$in": sorted(WAITING)}}
        with translated_errors():
            live = await self._count({**owned, "open": True, "state": State.LIVE}, IDLE_CALLS_INDEX, limit)
            stale = await self._count(waiting, IDLE_CALLS_INDEX, limit)
            broken = await self._count({**owned, "state": State.BROKEN}, BROKEN_CALLS_INDEX, limit)
            # By type: somebody may have edited the field, and what is no time is no first one either.
            oldest = await self._calls.find_one(
                {**waiting, "marked_at": {"$type": "date"}}, {"marked_at": 1}, sort=[("marked_at", 1)]
            )
        return CallCounts(live, stale, broken, to_unix_ms(oldest["marked_at"]) if oldest else None)

    async def _count(self, wanted: dict[str, Any], index: IndexModel, limit: int) -> int:
        # By name: another index would have to read the documents, which can be large.
        found: int = await self._calls.count_documents(wanted, limit=limit, hint=index.document["name"])
        return found
