"""The store in MongoDB: the collections `call_events` (the log) and `calls` (the records)."""

from collections.abc import Collection, Iterable, Sequence
from typing import Any

from bson.errors import BSONError
from pymongo import IndexModel, InsertOne, ReplaceOne, UpdateOne
from pymongo.errors import BulkWriteError, DocumentTooLarge, OperationFailure

from shared.store.ids import LogDocument
from shared.store.mongo.batched_reads import BatchedReads
from shared.store.mongo.client import Connection
from shared.store.mongo.documents import (
    arrivals,
    broken_document,
    call_document,
    giving_back,
    header_of,
    held,
    lease_of,
    marking,
    named,
    stored_of,
    waiting_of,
)
from shared.store.mongo.errors import duplicates, only_duplicates, refused, translated_errors
from shared.store.mongo.event_log import MongoLog
from shared.store.mongo.retention import RETENTION_INDEXES, MongoRetention
from shared.store.ports import (
    CallHeader,
    CallSnapshot,
    CallUpdate,
    FoldResult,
    IdleCall,
    Lease,
    StaleCall,
    StoredCall,
    Unstorable,
)
from shared.store.states import MOVES, Move, State

_MANY = 10_000

STALE_CALLS_INDEX = IndexModel(
    [("partition", 1), ("state", 1), ("marked_at", 1)],
    name="folder",
    # One boolean: an index that is partial on several states is not used by the queries that ask for one of them.
    partialFilterExpression={"open": True},
)

IDLE_CALLS_INDEX = IndexModel(
    # The whole query, so that it is answered from the index: the calls themselves can be large.
    [("open", 1), ("partition", 1), ("state", 1), ("last_arrival", 1), ("_id", 1)],
    name="closer",
    partialFilterExpression={"open": True},
)


_SERVED = {"state": 1, "opt_out": 1, "etag": 1, "body": 1}


class MongoStore(MongoLog, MongoRetention):
    """Keeps to the port. Single-document writes only, in unordered bulks: each is retryable by itself."""

    def __init__(self, connection: Connection, lease_ms: int = 60_000) -> None:
        """`claim_ms` is how long an unrenewed claim holds."""
        self._connection = connection
        self._log = connection.collection("call_events")
        self._calls = connection.collection("calls")
        self._lease_ms = lease_ms
        self._finding = BatchedReads(self._find)

    async def prepare(self) -> None:
        with translated_errors():
            await self._calls.create_indexes([STALE_CALLS_INDEX, IDLE_CALLS_INDEX, *RETENTION_INDEXES])

    async def ping(self) -> None:
        with translated_errors():
            await self._connection.ping()

    async def insert(self, documents: Sequence[LogDocument]) -> None:
        writes = [InsertOne({"_id": document.id, "events": list(document.events)}) for document in documents]
        with translated_errors():
            try:
                await self._log.bulk_write(writes, ordered=False)
            except BulkWriteError as error:
                # The same stretch is there already: this batch, or a part of it, was delivered before.
                if not only_duplicates(error):
                    raise

    async def read_states(self, calls: Collection[str]) -> dict[str, CallSnapshot]:
        fields = {"state": 1, "opt_out": 1, "last_arrival": 1, "event_count": 1}
        with translated_errors():
            cursor = self._calls.find({"_id": {"$in": list(calls)}}, fields, batch_size=_MANY)
            return {
                header["_id"]: CallSnapshot(
                    State(header["state"]), header["opt_out"], header["last_arrival"], header.get("event_count", 0)
                )
                async for header in cursor
            }

    async def mark_stale(self, marks: Sequence[CallUpdate]) -> set[str]:
        deleted: set[str] = set()
        left = marks
        with translated_errors():
            while left:
                refused = await self._refused(left)
                deleted |= await self._renewed({mark.call for mark in refused})
                # Two first sights at once refuse one of them as well: its mark is written to the header of the other.
                left = [mark for mark in refused if mark.call not in deleted]
        return deleted

    async def _refused(self, marks: Sequence[CallUpdate]) -> list[CallUpdate]:
        """Write the marks; return those in whose way another document stood: a tombstone, or a header just made."""
        try:
            await self._calls.bulk_write([marking(mark) for mark in marks], ordered=False)
        except BulkWriteError as error:
            if not only_duplicates(error):
                raise
            return [marks[number] for number in duplicates(error)]
        return []

    async def _renewed(self, calls: Collection[str]) -> set[str]:
        """Let the tombstones of these calls last from now on; return the calls that have one."""
        if not calls:
            return set()
        tombstones = {"_id": {"$in": list(calls)}, "state": State.DELETED}
        await self._calls.update_many(tombstones, {"$currentDate": {"seen_at": True}})
        return {header["_id"] async for header in self._calls.find(tombstones, {"_id": 1})}

    async def redact(self, documents: Sequence[LogDocument]) -> None:
        writes = [
            UpdateOne(
                {"_id": document.id, "redacted_at": {"$exists": False}},
                {"$set": {"events": list(document.events)}, "$currentDate": {"redacted_at": True}},
            )
            for document in documents
        ]
        if writes:
            with translated_errors():
                await self._log.bulk_write(writes, ordered=False)

    async def stale_calls(self, partitions: Collection[int], limit: int) -> list[StaleCall]:
        fields = {"partition": 1, "last_arrival": 1, "marked_at": 1}
        found: list[StaleCall] = []
        with translated_errors():
            for leasable in self._leasable():
                wanted = {"partition": {"$in": sorted(partitions)}, "open": True, **leasable}
                cursor = self._calls.find(wanted, fields).sort("marked_at", 1).limit(limit)
                found += [waiting_of(header) async for header in cursor]
        return sorted(found, key=lambda waiting: waiting.stale_since)[:limit]

    async def idle_calls(
        self, partitions: Collection[int], before: int, after: IdleCall | None, limit: int
    ) -> list[IdleCall]:
        wanted = {"open": True, "partition": {"$in": sorted(partitions)}, "state": State.LIVE}
        found: list[IdleCall] = []
        with translated_errors():
            for source in arrivals(before, after):
                if len(found) < limit:
                    cursor = self._calls.find({**wanted, **source}, {"partition": 1, "last_arrival": 1})
                    ordered = cursor.sort([("last_arrival", 1), ("_id", 1)]).limit(limit - len(found))
                    found += [IdleCall(each["_id"], each["partition"], each["last_arrival"]) async for each in ordered]
        return found

    async def lease(self, calls: Collection[str], token: str) -> list[Lease]:
        leasing = {
            "$set": {"state": MOVES[Move.CLAIM][1], "token": token},
            "$inc": {"attempts": 1},
            "$currentDate": {"claimed_at": True},
        }
        fields = {"partition": 1, "last_arrival": 1, "attempts": 1, "opt_out": 1}
        with translated_errors():
            await self._calls.bulk_write(
                [UpdateOne({"_id": call, "$or": self._leasable()}, leasing) for call in calls], ordered=False
            )
            # By the token alone: one that was marked meanwhile would count an attempt that nobody takes back.
            leased = {"_id": {"$in": list(calls)}, "token": token}
            cursor = self._calls.find(leased, fields, batch_size=_MANY)
            return [lease_of(header, token) async for header in cursor]

    async def renew(self, calls: Collection[str], token: str) -> None:
        await self._update_held(calls, token, {"$currentDate": {"claimed_at": True}})

    async def release(self, calls: Collection[str], token: str) -> None:
        with translated_errors():
            await self._give_back((call, token) for call in calls)

    async def headers(self, calls: Collection[str]) -> dict[str, CallHeader]:
        fields = dict.fromkeys(("state", "partition", "last_arrival", "rules_version", "price_book_version"), 1)
        with translated_errors():
            cursor = self._calls.find({"_id": {"$in": list(calls)}}, fields, batch_size=_MANY)
            return {found["_id"]: header_of(found) async for found in cursor}

    async def store_results(self, leases: Sequence[tuple[Lease, FoldResult]]) -> set[str]:
        with translated_errors():
            try:
                writes = [ReplaceOne(held([lease.call], lease.token), call_document(lease, r)) for lease, r in leases]
                replaced = await self._calls.bulk_write(writes, ordered=False)
            except (DocumentTooLarge, BSONError, OverflowError) as error:
                raise Unstorable(type(error).__name__) from error
            except OperationFailure as error:
                if refused(error):
                    raise Unstorable("the server refused a record for its content") from error
                raise
            if replaced.matched_count == len(writes):
                return set()
            lost = {lease.call for lease, _ in leases} - await self._stored(leases)
            await self._worked(lost)
            return lost

    async def _worked(self, lost: Collection[str]) -> None:
        """Count no attempt but that of the claim that holds, if one does: the folds worked, and were overtaken."""
        counted = {"$cond": [{"$eq": ["$state", State.FOLDING]}, 1, 0]}
        leasable = {"$in": [State.STALE, State.FOLDING]}
        writes = [UpdateOne({"_id": call, "state": leasable}, [{"$set": {"attempts": counted}}]) for call in lost]
        if writes:
            await self._calls.bulk_write(writes, ordered=False)

    async def _give_back(self, leases: Iterable[tuple[str, str]]) -> None:
        writes = [giving_back(call, token) for call, token in leases]
        if writes:
            await self._calls.bulk_write(writes, ordered=False)

    async def mark_broken(self, leases: Sequence[Lease]) -> None:
        writes = [ReplaceOne(held([lease.call], lease.token), broken_document(lease)) for lease in leases]
        if writes:
            with translated_errors():
                await self._calls.bulk_write(writes, ordered=False)

    async def find(self, call: str) -> StoredCall | None:
        return await self._finding.get(call)

    async def _find(self, calls: Collection[str]) -> dict[str, StoredCall]:
        with translated_errors():
            found = await self._calls.find(named(calls), _SERVED, batch_size=_MANY).to_list(None)
        return {document["_id"]: stored_of(document) for document in found}

    def _leasable(self) -> list[dict[str, Any]]:
        ran_out = {"$lt": ["$claimed_at", {"$subtract": ["$$NOW", self._lease_ms]}]}  # by the server's clock
        return [{"state": State.STALE}, {"state": State.FOLDING, "$expr": ran_out}]

    async def _update_held(self, calls: Collection[str], token: str, update: dict[str, Any]) -> None:
        if calls:
            with translated_errors():
                await self._calls.bulk_write([UpdateOne(held([call], token), update) for call in calls], ordered=False)

    async def _stored(self, leases: Sequence[tuple[Lease, FoldResult]]) -> set[str]:
        """Return the calls whose result was stored: they carry the claim's token and are folding no longer."""
        states = [MOVES[move][1] for move in (Move.STORE_LIVE, Move.STORE_FINAL)]
        tokens = {lease.call: lease.token for lease, _ in leases}
        cursor = self._calls.find({"_id": {"$in": list(tokens)}, "state": {"$in": states}}, {"token": 1})
        return {header["_id"] async for header in cursor if header.get("token") == tokens[header["_id"]]}
