"""The queue of calls and their records in MongoDB: the collection `calls`."""

from collections.abc import Collection, Sequence
from typing import Any

from bson.errors import BSONError
from pymongo import IndexModel, ReplaceOne, UpdateOne
from pymongo.errors import BulkWriteError, DocumentTooLarge, OperationFailure

from shared.store.models import (
    CallArrival,
    CallHeader,
    CallSnapshot,
    CallUpdate,
    FoldResult,
    Lease,
    StaleCall,
    StoredCall,
)
from shared.store.mongo.batched_reads import BatchedReads
from shared.store.mongo.call_counts import BROKEN_CALLS_INDEX, IDLE_CALLS_INDEX, MongoCallCounts
from shared.store.mongo.client import Connection
from shared.store.mongo.documents import (
    arrival_ranges,
    broken_document,
    find_arrivals,
    header_of,
    held,
    is_damaged,
    lease_of,
    named,
    releasing,
    replacing,
    snapshot_of,
    stale_of,
    updating,
)
from shared.store.mongo.errors import duplicates, only_duplicates, refused, translated_errors
from shared.store.mongo.event_log import MongoEventLog
from shared.store.mongo.fleet import MongoFleet
from shared.store.mongo.lists.problem_calls import PROBLEM_INDEXES, MongoProblemCalls
from shared.store.mongo.lists.recent_calls import SETTLED_CALLS_INDEXES, MongoRecentCalls
from shared.store.mongo.lists.summaries import MongoSummaries
from shared.store.mongo.record_documents import call_document, stored_of
from shared.store.mongo.retention import RETENTION_INDEXES, MongoRetention
from shared.store.mongo.watermarks import MongoWatermarks
from shared.store.ports import Unstorable
from shared.store.states import MOVES, Move, State

_MANY = 10_000

STALE_CALLS_INDEX = IndexModel(
    [("partition", 1), ("state", 1), ("marked_at", 1)],
    name="folder",  # the name that existing databases have
    # By a boolean: a query for one state does not use an index that is partial on several states.
    partialFilterExpression={"open": True},
)

_SERVED = {"state": 1, "opt_out": 1, "last_arrival": 1, "etag": 1, "body": 1}

_COUNTED = {"attempts": {"$type": "number"}}
"""An attempt that somebody edited into a text cannot be counted: one such write would fail all of its bulk."""


class MongoStore(
    MongoCallCounts,
    MongoEventLog,
    MongoFleet,
    MongoProblemCalls,
    MongoRecentCalls,
    MongoRetention,
    MongoSummaries,
    MongoWatermarks,
):
    """Implements `Store`. Writes single documents only, in unordered bulks, so that each write can be retried alone."""

    def __init__(self, connection: Connection, lease_ms: int = 60_000) -> None:
        """`lease_ms` is how long a lease holds that is not renewed."""
        self._connection = connection
        self._log = connection.collection("call_events")
        self._calls = connection.collection("calls")
        self._fleet = connection.collection("fleet")
        self._watermarks = connection.collection("watermarks")
        self._lease_ms = lease_ms
        self._reads = BatchedReads(self._find_all)

    async def prepare(self) -> None:
        with translated_errors():
            await self._calls.create_indexes(
                [
                    STALE_CALLS_INDEX,
                    IDLE_CALLS_INDEX,
                    BROKEN_CALLS_INDEX,
                    *SETTLED_CALLS_INDEXES,
                    *PROBLEM_INDEXES,
                    *RETENTION_INDEXES,
                ]
            )

    async def ping(self) -> None:
        with translated_errors():
            await self._connection.ping()

    async def now(self) -> int:
        with translated_errors():
            return await self._connection.now()

    async def mark_stale(self, updates: Sequence[CallUpdate]) -> set[str]:
        deleted: set[str] = set()
        left = updates
        with translated_errors():
            while left:
                refused = await self._refused(left)
                deleted |= await self._with_renewed_tombstones({update.call for update in refused})
                # Of two upserts of a new call at once one is refused too: it is written to the header of the other.
                left = [update for update in refused if update.call not in deleted]
        return deleted

    async def _refused(self, updates: Sequence[CallUpdate]) -> list[CallUpdate]:
        """Write the updates; return those refused because the `_id` is taken, by a tombstone or by a new header."""
        try:
            await self._calls.bulk_write(
                [replacing(update) if update.damaged else updating(update) for update in updates], ordered=False
            )
        except BulkWriteError as error:
            if not only_duplicates(error):
                raise
            return [updates[number] for number in duplicates(error)]
        return []

    async def _with_renewed_tombstones(self, calls: Collection[str]) -> set[str]:
        """Let the tombstones of these calls age anew; return the calls that have one."""
        if not calls:
            return set()
        tombstones = {**named(calls), "state": State.DELETED}
        await self._calls.update_many(tombstones, {"$currentDate": {"seen_at": True}})
        return {found["_id"] async for found in self._calls.find(tombstones, {"_id": 1})}

    async def stale_calls(self, partitions: Collection[int], limit: int) -> list[StaleCall]:
        fields = {"partition": 1, "last_arrival": 1, "marked_at": 1}
        found: list[StaleCall] = []
        with translated_errors():
            for leasable in self._leasable():
                wanted = {"partition": {"$in": sorted(partitions)}, "open": True, **leasable}
                cursor = self._calls.find(wanted, fields).sort("marked_at", 1).limit(limit)
                found += [stale_of(each) async for each in cursor if not is_damaged(each, *fields)]
        return sorted(found, key=lambda stale: stale.stale_since)[:limit]

    async def idle_calls(
        self, partitions: Collection[int], before: int, after: CallArrival | None, limit: int
    ) -> list[CallArrival]:
        wanted = {"open": True, "partition": {"$in": sorted(partitions)}, "state": State.LIVE}
        ranges = arrival_ranges((after.last_arrival, after.call) if after else None, before)
        with translated_errors():
            return await find_arrivals(self._calls, wanted, ranges, limit)

    async def lease(self, calls: Collection[str], token: str) -> list[Lease]:
        stale, expired = self._leasable()
        leases = await self._lease(calls, token, stale)
        # An expired lease is rare: a filter for both states would cost each call twice the work in MongoDB.
        if left := set(calls).difference(lease.call for lease in leases):
            leases += await self._lease(left, token, expired)
        return leases

    async def _lease(self, calls: Collection[str], token: str, leasable: dict[str, Any]) -> list[Lease]:
        leasing = {
            "$set": {"state": MOVES[Move.LEASE][1], "token": token},
            "$inc": {"attempts": 1},
            "$currentDate": {"claimed_at": True},
        }
        fields = {"partition": 1, "last_arrival": 1, "attempts": 1, "opt_out": 1}
        with translated_errors():
            await self._calls.bulk_write(
                [UpdateOne({"_id": call, **leasable, **_COUNTED}, leasing) for call in calls],
                ordered=False,
            )
            # By the token, in any state: if a call was marked stale meanwhile, its attempt must still be released.
            cursor = self._calls.find({"_id": {"$in": list(calls)}, "token": token}, fields, batch_size=_MANY)
            return [lease_of(found, token) async for found in cursor if not is_damaged(found, *fields)]

    async def renew(self, calls: Collection[str], token: str) -> None:
        await self._write([UpdateOne(held(call, token), {"$currentDate": {"claimed_at": True}}) for call in calls])

    async def release(self, calls: Collection[str], token: str) -> None:
        await self._write([releasing(call, token) for call in calls])

    async def store_results(self, results: Sequence[tuple[Lease, FoldResult]]) -> set[str]:
        with translated_errors():
            try:
                writes = [ReplaceOne(held(lease.call, lease.token), call_document(lease, r)) for lease, r in results]
                replaced = await self._calls.bulk_write(writes, ordered=False)
            except (DocumentTooLarge, BSONError, OverflowError) as error:
                raise Unstorable(type(error).__name__) from None  # its message would quote the record
            except OperationFailure as error:
                if refused(error):
                    raise Unstorable("the server refused a record for its content") from error
                raise
        if replaced.matched_count == len(writes):
            return set()
        lost = {lease.call for lease, _ in results} - await self._stored(results)
        await self._reset_attempts(lost)
        return lost

    async def _stored(self, results: Sequence[tuple[Lease, FoldResult]]) -> set[str]:
        """Return the calls whose result was stored: they hold the lease's token and are no longer folding."""
        states = [MOVES[move][1] for move in (Move.STORE_LIVE, Move.STORE_FINAL)]
        tokens = {lease.call: lease.token for lease, _ in results}
        with translated_errors():
            cursor = self._calls.find({"_id": {"$in": list(tokens)}, "state": {"$in": states}}, {"token": 1})
            return {found["_id"] async for found in cursor if found.get("token") == tokens[found["_id"]]}

    async def _reset_attempts(self, lost: Collection[str]) -> None:
        """Count no attempt but that of the lease that holds, if any: the folds worked, and were overtaken."""
        counted = {"$cond": [{"$eq": ["$state", State.FOLDING]}, 1, 0]}
        leasable = {"$in": [State.STALE, State.FOLDING]}
        await self._write(
            [UpdateOne({"_id": call, "state": leasable}, [{"$set": {"attempts": counted}}]) for call in lost]
        )

    async def mark_broken(self, leases: Sequence[Lease]) -> None:
        await self._write([ReplaceOne(held(lease.call, lease.token), broken_document(lease)) for lease in leases])

    async def read_states(self, calls: Collection[str]) -> dict[str, CallSnapshot]:
        found = await self._headers(calls, "state", "opt_out", "last_arrival", "event_count")
        return {each["_id"]: snapshot_of(each) for each in found}

    async def headers(self, calls: Collection[str]) -> dict[str, CallHeader]:
        found = await self._headers(calls, "state", "partition", "last_arrival", "rules_version", "price_book_version")
        return {each["_id"]: header_of(each) for each in found}

    async def find(self, call: str) -> StoredCall | None:
        return await self._reads.get(call)

    async def _find_all(self, calls: Collection[str]) -> dict[str, StoredCall]:
        with translated_errors():
            found = await self._calls.find(named(calls), _SERVED, batch_size=_MANY).to_list(None)
        return {each["_id"]: stored_of(each) for each in found}

    async def _headers(self, calls: Collection[str], *fields: str) -> list[dict[str, Any]]:
        with translated_errors():
            cursor = self._calls.find(named(calls), dict.fromkeys(fields, 1), batch_size=_MANY)
            return [found async for found in cursor]

    async def _write(self, writes: Sequence[ReplaceOne[Any] | UpdateOne]) -> None:
        if writes:
            with translated_errors():
                await self._calls.bulk_write(writes, ordered=False)

    def _leasable(self) -> list[dict[str, Any]]:
        expired = {"$lt": ["$claimed_at", {"$subtract": ["$$NOW", self._lease_ms]}]}  # by the server's clock
        return [{"state": State.STALE}, {"state": State.FOLDING, "$expr": expired}]
