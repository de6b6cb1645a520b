"""Calls past retention, their tombstones, and calls that opted out, in MongoDB: the collection `calls`."""

from collections.abc import Collection
from typing import Any

from pymongo import IndexModel

from shared.contract.timestamps import from_unix_ms
from shared.store.models import CallArrival
from shared.store.mongo.client import Collection as Documents
from shared.store.mongo.documents import arrival_ranges, find_arrivals
from shared.store.mongo.errors import translated_errors
from shared.store.states import MOVES, Move, State

RETENTION_INDEX = IndexModel(
    [("organization_id", 1), ("partition", 1), ("last_arrival", 1)],
    name="retention",
    # Every call that can be deleted was folded, and so has this field; a new call costs this index nothing.
    partialFilterExpression={"folded_at": {"$exists": True}},
)
_TOMBSTONE_INDEX = IndexModel(
    [("partition", 1), ("emptied", 1), ("seen_at", 1)],
    name="tombstone",
    partialFilterExpression={"state": State.DELETED},
)
_SWEEP_INDEX = IndexModel(
    [("partition", 1), ("last_arrival", 1), ("_id", 1)], name="sweep", partialFilterExpression={"opt_out": True}
)
RETENTION_INDEXES = (RETENTION_INDEX, _TOMBSTONE_INDEX, _SWEEP_INDEX)

FOLDED = {"folded_at": {"$exists": True}}
_TOMBSTONE = {
    "_id": "$_id",
    "organization_id": "$organization_id",
    "call_id": "$call_id",
    "partition": "$partition",
    "last_arrival": "$last_arrival",
    "opt_out": "$opt_out",
    "state": MOVES[Move.TOMBSTONE][1],
    "seen_at": "$$NOW",
    "emptied": False,
}


class MongoRetention:
    """Implements `RetentionStore`."""

    _calls: Documents

    async def organizations(self) -> list[str]:
        found: list[str] = []
        with translated_errors():
            # Jumps along the index from one to the next, however many calls each has.
            while header := await self._calls.find_one(
                {**FOLDED, "organization_id": {"$gt": found[-1] if found else ""}},
                {"organization_id": 1},
                sort=[("organization_id", 1)],
            ):
                found.append(header["organization_id"])
        return found

    async def past_retention(self, organization: str, partitions: Collection[int], until: int, limit: int) -> list[str]:
        wanted = {**FOLDED, "organization_id": organization, "partition": {"$in": sorted(partitions)}}
        return await self._found({**wanted, **_past_retention(until)}, limit)

    async def tombstone(self, calls: Collection[str], until: int) -> int:
        with translated_errors():
            # From the document itself, in one step: an opt-out that was written just before is kept.
            written = await self._calls.update_many(
                {"_id": {"$in": list(calls)}, **_past_retention(until)}, [{"$replaceWith": _TOMBSTONE}]
            )
        deleted: int = written.modified_count
        return deleted

    async def tombstoned(self, partitions: Collection[int], limit: int) -> list[str]:
        return await self._found(
            {"partition": {"$in": sorted(partitions)}, "state": State.DELETED, "emptied": False}, limit
        )

    async def mark_purged(self, calls: Collection[str]) -> None:
        with translated_errors():
            await self._calls.update_many(
                {"_id": {"$in": list(calls)}, "state": State.DELETED}, {"$set": {"emptied": True}}
            )

    async def expired_tombstones(self, partitions: Collection[int], until: int, limit: int) -> list[str]:
        return await self._found({"partition": {"$in": sorted(partitions)}, **_expired(until)}, limit)

    async def renew_tombstones(self, calls: Collection[str], until: int) -> None:
        renewed = {"$set": {"emptied": False}, "$currentDate": {"seen_at": True}}
        with translated_errors():
            await self._calls.update_many({"_id": {"$in": list(calls)}, **_expired(until)}, renewed)

    async def expire_tombstones(self, calls: Collection[str], until: int) -> int:
        with translated_errors():
            written = await self._calls.delete_many({"_id": {"$in": list(calls)}, **_expired(until)})
        expired: int = written.deleted_count
        return expired

    async def opted_out_calls(
        self, partitions: Collection[int], after: tuple[int, str], before: int, limit: int
    ) -> list[CallArrival]:
        wanted = {"opt_out": True, "partition": {"$in": sorted(partitions)}}
        with translated_errors():
            return await find_arrivals(self._calls, wanted, arrival_ranges(after, before), limit)

    async def _found(self, wanted: dict[str, Any], limit: int) -> list[str]:
        with translated_errors():
            return [header["_id"] async for header in self._calls.find(wanted, {"_id": 1}).limit(limit)]


def _past_retention(until: int) -> dict[str, Any]:
    return {"state": {"$in": sorted(MOVES[Move.TOMBSTONE][0])}, "last_arrival": {"$lte": until}}


def _expired(until: int) -> dict[str, Any]:
    return {"state": State.DELETED, "emptied": True, "seen_at": {"$lte": from_unix_ms(until)}}
