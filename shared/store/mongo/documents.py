"""The documents of the collection `calls`: what is written for updates, leases and results, and what is read back."""

from collections.abc import Collection, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from bson.int64 import Int64
from pymongo import UpdateOne

from shared.contract.timestamps import to_unix_ms
from shared.store.ids import names_of
from shared.store.models import (
    CallArrival,
    CallHeader,
    CallSnapshot,
    CallUpdate,
    Lease,
    LogDocument,
    StaleCall,
)
from shared.store.mongo.client import Collection as Documents
from shared.store.packed_log import Packed, pack, unpack
from shared.store.states import MAX_ATTEMPTS, MOVES, OPEN, Move, State


def named(calls: Collection[str]) -> dict[str, Any]:
    """Return the filter for these calls; MongoDB finds a single one by a shorter way than `$in`."""
    return {"_id": next(iter(calls)) if len(calls) == 1 else {"$in": list(calls)}}


def held(call: str, token: str) -> dict[str, Any]:
    """Return the filter for a call whose lease still holds."""
    return {"_id": call, "state": State.FOLDING, "token": token}


def updating(update: CallUpdate) -> UpdateOne:
    """Return the write of an update, which creates the header if there is none.

    If the call is deleted, a stale update fails with error 11000, because the filter does not match and the `_id` is
    taken; any other changes no state that is there.
    """
    organization, call = names_of(update.call)
    header: dict[str, Any] = {
        "organization_id": organization,
        "call_id": call,
        "partition": update.partition,
        "attempts": 0,
    }
    wanted: dict[str, Any] = {"_id": update.call}
    write: dict[str, Any] = {"$max": {"last_arrival": update.last_arrival}, "$setOnInsert": header}
    written: dict[str, Any] = {}
    if update.stale:
        wanted["state"] = {"$ne": State.DELETED}
        written |= {"state": MOVES[Move.MARK_STALE][1], "open": True}
        write["$currentDate"] = {"marked_at": True}
    else:
        header |= {"state": MOVES[Move.FIRST_SEEN][1], "open": True}
    if update.opted_out:
        written["opt_out"] = True
    else:
        header["opt_out"] = False
    if written:
        write["$set"] = written
    return UpdateOne(wanted, write, upsert=True)


def releasing(call: str, token: str) -> UpdateOne:
    """Return the write that releases a lease once, also if the call was marked stale, which leaves the token there.

    A result that was stored under the lease leaves the token there too, but no attempts.
    """
    return UpdateOne(
        {"_id": call, "token": token, "state": {"$in": [State.FOLDING, State.STALE]}, "attempts": {"$gt": 0}},
        {"$set": {"state": MOVES[Move.RELEASE][1]}, "$inc": {"attempts": -1}, "$unset": {"token": ""}},
    )


def leased_header(lease: Lease, state: State, *, opted_out: bool) -> dict[str, Any]:
    organization, call = names_of(lease.call)
    header = {
        "_id": lease.call,
        "organization_id": organization,
        "call_id": call,
        "state": state,
        "token": lease.token,
        "partition": lease.partition,
        "last_arrival": lease.last_arrival,
        "opt_out": opted_out,
        "attempts": 0,
        "folded_at": datetime.now(UTC),
    }
    return {**header, "open": True} if state in OPEN else header


def broken_document(lease: Lease) -> dict[str, Any]:
    """Return the document of a call that cannot be folded: its header alone."""
    return {
        **leased_header(lease, MOVES[Move.BREAK][1], opted_out=lease.opted_out),
        "attempts": MAX_ATTEMPTS - 1,
        "token": None,
    }


_WRITTEN: Mapping[str, tuple[type, ...]] = {
    "state": (str,),
    "partition": (int, Int64),
    "last_arrival": (int, Int64),
    "attempts": (int, Int64),
    "opt_out": (bool,),
    "marked_at": (datetime,),
}
"""The types of a header's fields."""
_STATES = frozenset(State)
_NAMED = {"_id": {"$type": "string"}}


def is_damaged(found: Mapping[str, Any], *fields: str) -> bool:
    """Return whether one of these fields of a header is what no program writes: somebody edited it."""
    # By the exact type: a bool is an int, too.
    wrong = type(found["_id"]) is not str or any(type(found.get(name)) not in _WRITTEN[name] for name in fields)
    return wrong or ("state" in fields and found["state"] not in _STATES)


def replacing(update: CallUpdate) -> UpdateOne:
    """Return the write of an update for a damaged header: a new header, as of a call that was never seen."""
    organization, call = names_of(update.call)
    header = {
        "organization_id": organization,
        "call_id": call,
        "partition": update.partition,
        "last_arrival": Int64(update.last_arrival),
        "attempts": 0,
        "state": MOVES[Move.MARK_STALE][1],
        "open": True,
        "opt_out": update.opted_out,
    }
    # A text that begins with `$` is a path in a pipeline, unless it is a literal.
    literal = {name: {"$literal": value} for name, value in header.items()}
    return UpdateOne(
        {"_id": update.call}, [{"$replaceWith": {"_id": "$_id", **literal, "marked_at": "$$NOW"}}], upsert=True
    )


def snapshot_of(found: dict[str, Any]) -> CallSnapshot:
    if is_damaged(found, "state", "opt_out", "last_arrival"):
        return CallSnapshot(State.BROKEN, found.get("opt_out") is True, 0, 0, damaged=True)
    events = found.get("event_count", 0)
    return CallSnapshot(
        State(found["state"]), found["opt_out"], found["last_arrival"], events if isinstance(events, int) else 0
    )


def lease_of(found: dict[str, Any], token: str) -> Lease:
    return Lease(found["_id"], token, found["partition"], found["last_arrival"], found["attempts"], found["opt_out"])


def packed_events(document: LogDocument) -> dict[str, Any]:
    """Return the fields of a document of the event log that hold its events."""
    text, lengths = pack(document.events)
    return {"events": text, "lengths": lengths}


def log_document(document: LogDocument) -> dict[str, Any]:
    """Return a document of the event log."""
    written = {"_id": document.id, **packed_events(document)}
    if document.contract:
        written["contract"] = document.contract
        if document.vouched:
            written["vouched"] = document.vouched
    return written


def logged_of(found: Mapping[str, Any]) -> LogDocument:
    """Return a document of the event log; in the form of earlier versions its events are a list of their bytes.

    Raises:
        ValueError: somebody edited it into what no program writes.
    """
    events, redacted_at = found.get("events"), found.get("redacted_at")
    contract, vouched = found.get("contract", 0), found.get("vouched", b"")
    if not isinstance(redacted_at, datetime | None) or not isinstance(contract, int) or not isinstance(vouched, bytes):
        raise _damaged()
    match events, found.get("lengths"):
        case bytes(), bytes() as lengths:
            raws = unpack(Packed(events, lengths))
        case list(), None if set(map(type, events)) <= {bytes}:
            raws = tuple(events)
        case _:
            raise _damaged()
    if vouched and len(vouched) != len(raws):
        raise _damaged()
    return LogDocument(found["_id"], raws, _unix_ms(redacted_at), contract, vouched)


def _damaged() -> ValueError:
    return ValueError("a damaged document of the event log")


def header_of(found: dict[str, Any]) -> CallHeader:
    if is_damaged(found, "state", "partition", "last_arrival"):
        return CallHeader(State.BROKEN, 0, 0, None, None, damaged=True)
    versions = found.get("rules_version"), found.get("price_book_version")
    return CallHeader(State(found["state"]), found["partition"], found["last_arrival"], *versions)


def stale_of(found: dict[str, Any]) -> StaleCall:
    return StaleCall(found["_id"], found["partition"], found["last_arrival"], _unix_ms(found["marked_at"]))


def arrival_ranges(after: tuple[int, str] | None, before: int) -> list[dict[str, Any]]:
    """Return the filters, in order, for calls that follow `after` and whose last arrival is earlier than `before`.

    Two, because the index answers each of them in its order, but not the `$or` of both.
    """
    if after is None:
        return [{"last_arrival": {"$lt": before}}]
    arrival, call = after
    return [{"last_arrival": arrival, "_id": {"$gt": call}}, {"last_arrival": {"$gt": arrival, "$lt": before}}]


async def find_arrivals(
    calls: Documents, wanted: dict[str, Any], ranges: Iterable[dict[str, Any]], limit: int
) -> list[CallArrival]:
    """Return the wanted calls of these ranges, one range after the other, by last arrival and key."""
    found: list[CallArrival] = []
    for each in ranges:
        if len(found) < limit:
            # Sorted by what the range leaves open: the index would not give the order by a field that is fixed.
            order = ["_id"] if "_id" in each else ["last_arrival", "_id"]
            cursor = calls.find({**_NAMED, **wanted, **each}, {"partition": 1, "last_arrival": 1})
            ordered = cursor.sort([(name, 1) for name in order]).limit(limit - len(found))
            found += [CallArrival(call["_id"], call["partition"], call["last_arrival"]) async for call in ordered]
    return found


def _unix_ms(moment: datetime | None) -> int:
    return 0 if moment is None else to_unix_ms(moment)
