"""The store in MongoDB: the collections `call_events` (the log) and `calls` (the records)."""

from collections.abc import Collection, Iterable, Sequence
from typing import Any

from bson.errors import BSONError
from pymongo import IndexModel, InsertOne, ReplaceOne, UpdateOne
from pymongo.errors import BulkWriteError, DocumentTooLarge, OperationFailure

from shared.store.ids import LogDocument
from shared.store.mongo.batched_reads import Gathering
from shared.store.mongo.client import Connection
from shared.store.mongo.documents import (
    arrivals,
    broken_document,
    call_document,
    claim_of,
    giving_back,
    header_of,
    held,
    marking,
    named,
    stored_of,
    waiting_of,
)
from shared.store.mongo.errors import duplicates, only_duplicates, refused, world
from shared.store.mongo.event_log import MongoLog
from shared.store.mongo.retention import RETENTION_INDEXES, MongoRetention
from shared.store.ports import Claim, Header, Mark, Result, Sighting, Silent, StoredCall, Unstorable, Waiting
from shared.store.states import MOVES, Move, State

_MANY = 10_000

FOLDER_INDEX = IndexModel(
    [("partition", 1), ("state", 1), ("marked_at", 1)],
    name="folder",
    # One boolean: an index that is partial on several states is not used by the queries that ask for one of them.
    partialFilterExpression={"open": True},
)

CLOSER_INDEX = IndexModel(
    # The whole query, so that it is answered from the index: the calls themselves can be large.
    [("open", 1), ("partition", 1), ("state", 1), ("last_arrival", 1), ("_id", 1)],
    name="closer",
    partialFilterExpression={"open": True},
)


_SERVED = {"state": 1, "opt_out": 1, "etag": 1, "body": 1}


class MongoStore(MongoLog, MongoRetention):
    """Keeps to the port. Single-document writes only, in unordered bulks: each is retryable by itself."""

    def __init__(self, connection: Connection, claim_ms: int = 60_000) -> None:
        """`claim_ms` is how long an unrenewed claim holds."""
        self._connection = connection
        self._log = connection.collection("call_events")
        self._calls = connection.collection("calls")
        self._claim_ms = claim_ms
        self._finding = Gathering(self._find)

    async def prepare(self) -> None:
        """See the port."""
        with world():
            await self._calls.create_indexes([FOLDER_INDEX, CLOSER_INDEX, *RETENTION_INDEXES])

    async def ping(self) -> None:
        """See the port."""
        with world():
            await self._connection.ping()

    async def insert(self, documents: Sequence[LogDocument]) -> None:
        """See the port."""
        writes = [InsertOne({"_id": document.id, "events": list(document.events)}) for document in documents]
        with world():
            try:
                await self._log.bulk_write(writes, ordered=False)
            except BulkWriteError as error:
                # The same stretch is there already: this batch, or a part of it, was delivered before.
                if not only_duplicates(error):
                    raise

    async def look(self, calls: Collection[str]) -> dict[str, Sighting]:
        """See the port."""
        fields = {"state": 1, "opt_out": 1, "last_arrival": 1, "event_count": 1}
        with world():
            cursor = self._calls.find({"_id": {"$in": list(calls)}}, fields, batch_size=_MANY)
            return {
                header["_id"]: Sighting(
                    State(header["state"]), header["opt_out"], header["last_arrival"], header.get("event_count", 0)
                )
                async for header in cursor
            }

    async def mark(self, marks: Sequence[Mark]) -> set[str]:
        """See the port."""
        deleted: set[str] = set()
        left = marks
        with world():
            while left:
                refused = await self._refused(left)
                deleted |= await self._renewed({mark.call for mark in refused})
                # Two first sights at once refuse one of them as well: its mark is written to the header of the other.
                left = [mark for mark in refused if mark.call not in deleted]
        return deleted

    async def _refused(self, marks: Sequence[Mark]) -> list[Mark]:
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
        """See the port."""
        writes = [
            UpdateOne(
                {"_id": document.id, "redacted_at": {"$exists": False}},
                {"$set": {"events": list(document.events)}, "$currentDate": {"redacted_at": True}},
            )
            for document in documents
        ]
        if writes:
            with world():
                await self._log.bulk_write(writes, ordered=False)

    async def waiting(self, partitions: Collection[int], limit: int) -> list[Waiting]:
        """See the port."""
        fields = {"partition": 1, "last_arrival": 1, "marked_at": 1}
        found: list[Waiting] = []
        with world():
            for claimable in self._claimable():
                wanted = {"partition": {"$in": sorted(partitions)}, "open": True, **claimable}
                cursor = self._calls.find(wanted, fields).sort("marked_at", 1).limit(limit)
                found += [waiting_of(header) async for header in cursor]
        return sorted(found, key=lambda waiting: waiting.marked_at)[:limit]

    async def silent_since(
        self, partitions: Collection[int], before: int, after: Silent | None, limit: int
    ) -> list[Silent]:
        """See the port."""
        wanted = {"open": True, "partition": {"$in": sorted(partitions)}, "state": State.LIVE}
        found: list[Silent] = []
        with world():
            for stretch in arrivals(before, after):
                if len(found) < limit:
                    cursor = self._calls.find({**wanted, **stretch}, {"partition": 1, "last_arrival": 1})
                    ordered = cursor.sort([("last_arrival", 1), ("_id", 1)]).limit(limit - len(found))
                    found += [Silent(each["_id"], each["partition"], each["last_arrival"]) async for each in ordered]
        return found

    async def claim(self, calls: Collection[str], token: str) -> list[Claim]:
        """See the port."""
        claiming = {
            "$set": {"state": MOVES[Move.CLAIM][1], "token": token},
            "$inc": {"attempts": 1},
            "$currentDate": {"claimed_at": True},
        }
        fields = {"partition": 1, "last_arrival": 1, "attempts": 1, "opt_out": 1}
        with world():
            await self._calls.bulk_write(
                [UpdateOne({"_id": call, "$or": self._claimable()}, claiming) for call in calls], ordered=False
            )
            # By the token alone: one that was marked meanwhile would count an attempt that nobody takes back.
            claimed = {"_id": {"$in": list(calls)}, "token": token}
            cursor = self._calls.find(claimed, fields, batch_size=_MANY)
            return [claim_of(header, token) async for header in cursor]

    async def renew(self, calls: Collection[str], token: str) -> None:
        """See the port."""
        await self._update_held(calls, token, {"$currentDate": {"claimed_at": True}})

    async def release(self, calls: Collection[str], token: str) -> None:
        """See the port."""
        with world():
            await self._give_back((call, token) for call in calls)

    async def headers(self, calls: Collection[str]) -> dict[str, Header]:
        """See the port."""
        fields = dict.fromkeys(("state", "partition", "last_arrival", "rules_version", "price_book_version"), 1)
        with world():
            cursor = self._calls.find({"_id": {"$in": list(calls)}}, fields, batch_size=_MANY)
            return {found["_id"]: header_of(found) async for found in cursor}

    async def replace(self, claims: Sequence[tuple[Claim, Result]]) -> set[str]:
        """See the port."""
        with world():
            try:
                writes = [ReplaceOne(held([claim.call], claim.token), call_document(claim, r)) for claim, r in claims]
                replaced = await self._calls.bulk_write(writes, ordered=False)
            except (DocumentTooLarge, BSONError, OverflowError) as error:
                raise Unstorable(type(error).__name__) from error
            except OperationFailure as error:
                if refused(error):
                    raise Unstorable("the server refused a record for its content") from error
                raise
            if replaced.matched_count == len(writes):
                return set()
            lost = {claim.call for claim, _ in claims} - await self._stored(claims)
            await self._worked(lost)
            return lost

    async def _worked(self, lost: Collection[str]) -> None:
        """Count no attempt but that of the claim that holds, if one does: the folds worked, and were overtaken."""
        counted = {"$cond": [{"$eq": ["$state", State.FOLDING]}, 1, 0]}
        claimable = {"$in": [State.STALE, State.FOLDING]}
        writes = [UpdateOne({"_id": call, "state": claimable}, [{"$set": {"attempts": counted}}]) for call in lost]
        if writes:
            await self._calls.bulk_write(writes, ordered=False)

    async def _give_back(self, claims: Iterable[tuple[str, str]]) -> None:
        writes = [giving_back(call, token) for call, token in claims]
        if writes:
            await self._calls.bulk_write(writes, ordered=False)

    async def break_off(self, claims: Sequence[Claim]) -> None:
        """See the port."""
        writes = [ReplaceOne(held([claim.call], claim.token), broken_document(claim)) for claim in claims]
        if writes:
            with world():
                await self._calls.bulk_write(writes, ordered=False)

    async def find(self, call: str) -> StoredCall | None:
        """See the port."""
        return await self._finding.get(call)

    async def _find(self, calls: Collection[str]) -> dict[str, StoredCall]:
        with world():
            found = await self._calls.find(named(calls), _SERVED, batch_size=_MANY).to_list(None)
        return {document["_id"]: stored_of(document) for document in found}

    def _claimable(self) -> list[dict[str, Any]]:
        ran_out = {"$lt": ["$claimed_at", {"$subtract": ["$$NOW", self._claim_ms]}]}  # by the server's clock
        return [{"state": State.STALE}, {"state": State.FOLDING, "$expr": ran_out}]

    async def _update_held(self, calls: Collection[str], token: str, update: dict[str, Any]) -> None:
        if calls:
            with world():
                await self._calls.bulk_write([UpdateOne(held([call], token), update) for call in calls], ordered=False)

    async def _stored(self, claims: Sequence[tuple[Claim, Result]]) -> set[str]:
        """Return the calls whose result was stored: they carry the claim's token and are folding no longer."""
        states = [MOVES[move][1] for move in (Move.STORE_LIVE, Move.STORE_FINAL)]
        tokens = {claim.call: claim.token for claim, _ in claims}
        cursor = self._calls.find({"_id": {"$in": list(tokens)}, "state": {"$in": states}}, {"token": 1})
        return {header["_id"] async for header in cursor if header.get("token") == tokens[header["_id"]]}
