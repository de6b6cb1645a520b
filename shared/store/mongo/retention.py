"""What must not be kept, in MongoDB."""

from collections.abc import Collection
from typing import Any

from pymongo import IndexModel

from shared.contract.ids import call_of
from shared.contract.timestamps import from_unix_ms
from shared.store.ids import bounds
from shared.store.mongo.client import Collection as Documents
from shared.store.mongo.errors import translated_errors
from shared.store.retention import OptedOut
from shared.store.states import MOVES, Move, State

_RETENTION_INDEX = IndexModel(
    [("organization_id", 1), ("partition", 1), ("last_arrival", 1)],
    name="retention",
    # Every call that may be buried was folded, and so has this; a call that arrives costs this index nothing.
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
RETENTION_INDEXES = (_RETENTION_INDEX, _TOMBSTONE_INDEX, _SWEEP_INDEX)

_FOLDED = {"folded_at": {"$exists": True}}
_TOMBSTONE = {
    "_id": "$_id",
    "organization_id": "$organization_id",
    "call_id": "$call_id",
    "partition": "$partition",
    "last_arrival": "$last_arrival",
    "opt_out": "$opt_out",
    "state": MOVES[Move.BURY][1],
    "seen_at": "$$NOW",
    "emptied": False,
}


class MongoRetention:
    """Keeps to its part of the port."""

    _log: Documents
    _calls: Documents

    async def organizations(self) -> list[str]:
        found: list[str] = []
        with translated_errors():
            # From one to the next along the index, however many calls each has.
            while header := await self._calls.find_one(
                {**_FOLDED, "organization_id": {"$gt": found[-1] if found else ""}},
                {"organization_id": 1},
                sort=[("organization_id", 1)],
            ):
                found.append(header["organization_id"])
        return found

    async def past_retention(self, organization: str, partitions: Collection[int], until: int, limit: int) -> list[str]:
        wanted = {**_FOLDED, "organization_id": organization, "partition": {"$in": sorted(partitions)}}
        return await self._found({**wanted, **_outdated(until)}, limit)

    async def tombstone(self, calls: Collection[str], until: int) -> int:
        with translated_errors():
            # From what is there, in one step: a flag that came just before is kept.
            written = await self._calls.update_many(
                {"_id": {"$in": list(calls)}, **_outdated(until)}, [{"$replaceWith": _TOMBSTONE}]
            )
        buried: int = written.modified_count
        return buried

    async def tombstoned(self, partitions: Collection[int], limit: int) -> list[str]:
        return await self._found(
            {"partition": {"$in": sorted(partitions)}, "state": State.DELETED, "emptied": False}, limit
        )

    async def delete_log(self, calls: Collection[str]) -> None:
        ranges = _ranges(calls)
        if ranges:
            with translated_errors():
                await self._log.delete_many({"$or": ranges})

    async def mark_purged(self, calls: Collection[str]) -> None:
        with translated_errors():
            await self._calls.update_many(
                {"_id": {"$in": list(calls)}, "state": State.DELETED}, {"$set": {"emptied": True}}
            )

    async def expired_tombstones(self, partitions: Collection[int], until: int, limit: int) -> list[str]:
        return await self._found({"partition": {"$in": sorted(partitions)}, **_outlived(until)}, limit)

    async def renew_tombstones(self, calls: Collection[str], until: int) -> None:
        again = {"$set": {"emptied": False}, "$currentDate": {"seen_at": True}}
        with translated_errors():
            await self._calls.update_many({"_id": {"$in": list(calls)}, **_outlived(until)}, again)

    async def expire_tombstones(self, calls: Collection[str], until: int) -> int:
        with translated_errors():
            written = await self._calls.delete_many({"_id": {"$in": list(calls)}, **_outlived(until)})
        forgotten: int = written.deleted_count
        return forgotten

    async def opted_out_calls(
        self, partitions: Collection[int], after: tuple[int, str], before: int, limit: int
    ) -> list[OptedOut]:
        arrival, call = after
        wanted = {"opt_out": True, "partition": {"$in": sorted(partitions)}}
        found: list[OptedOut] = []
        with translated_errors():
            # Two, because the index answers each of them in its order, and not the `$or` of both.
            for source, order in (
                ({"last_arrival": arrival, "_id": {"$gt": call}}, ["_id"]),
                ({"last_arrival": {"$gt": arrival, "$lt": before}}, ["last_arrival", "_id"]),
            ):
                if len(found) < limit:
                    cursor = self._calls.find({**wanted, **source}, {"partition": 1, "last_arrival": 1})
                    ordered = cursor.sort([(field, 1) for field in order]).limit(limit - len(found))
                    found += [OptedOut(each["_id"], each["partition"], each["last_arrival"]) async for each in ordered]
        return found

    async def unredacted(self, calls: Collection[str]) -> set[str]:
        ranges = _ranges(calls)
        if not ranges:
            return set()
        with translated_errors():
            cursor = self._log.find({"$or": ranges, "redacted_at": {"$exists": False}}, {"_id": 1}, batch_size=10_000)
            return {call_of(document["_id"]) async for document in cursor}

    async def _found(self, wanted: dict[str, Any], limit: int) -> list[str]:
        with translated_errors():
            return [header["_id"] async for header in self._calls.find(wanted, {"_id": 1}).limit(limit)]


def _ranges(calls: Collection[str]) -> list[dict[str, Any]]:
    return [{"_id": {"$gte": first, "$lt": end}} for first, end in map(bounds, calls)]


def _outdated(until: int) -> dict[str, Any]:
    return {"state": {"$in": sorted(MOVES[Move.BURY][0])}, "last_arrival": {"$lte": until}}


def _outlived(until: int) -> dict[str, Any]:
    return {"state": State.DELETED, "emptied": True, "seen_at": {"$lte": from_unix_ms(until)}}
