"""How calls lie in MongoDB: what is written for a mark or a result, and what is read back."""

from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from typing import Any

from pymongo import UpdateOne

from shared.contract.timestamps import to_unix_ms
from shared.store.ids import LogDocument
from shared.store.mongo.bson_record import beside
from shared.store.ports import CallHeader, CallUpdate, FoldResult, IdleCall, Lease, StaleCall, StoredCall
from shared.store.states import MAX_ATTEMPTS, MOVES, Move, State, is_open


def named(calls: Collection[str]) -> dict[str, Any]:
    """Return the filter for these calls."""
    return {"_id": next(iter(calls)) if len(calls) == 1 else {"$in": list(calls)}}


def held(calls: Collection[str], token: str) -> dict[str, Any]:
    """Return the filter for the calls whose claim still holds."""
    return {**named(calls), "state": State.FOLDING, "token": token}


def marking(mark: CallUpdate) -> UpdateOne:
    """Return the write of a mark: a header where there is none.

    One that would fold a deleted call does nothing but fail with error 11000; any other changes no state that is there.
    """
    organization, call = mark.call.split("/")
    header: dict[str, Any] = {
        "organization_id": organization,
        "call_id": call,
        "partition": mark.partition,
        "attempts": 0,
    }
    wanted: dict[str, Any] = {"_id": mark.call}
    update: dict[str, Any] = {"$max": {"last_arrival": mark.last_arrival}, "$setOnInsert": header}
    written: dict[str, Any] = {}
    if mark.stale:
        wanted["state"] = {"$ne": State.DELETED}
        written |= {"state": MOVES[Move.MARK][1], "open": True}
        update["$currentDate"] = {"marked_at": True}
    else:
        header |= {"state": MOVES[Move.SIGHT][1], "open": True}
    if mark.opted_out:
        written["opt_out"] = True
    else:
        header["opt_out"] = False
    if written:
        update["$set"] = written
    return UpdateOne(wanted, update, upsert=True)


def giving_back(call: str, token: str) -> UpdateOne:
    """Return the write that gives a claim back, once; also one that a mark has overtaken, which leaves the token there.

    What was stored under the claim keeps the token as well, but has no attempts.
    """
    return UpdateOne(
        {"_id": call, "token": token, "state": {"$in": [State.FOLDING, State.STALE]}, "attempts": {"$gt": 0}},
        {"$set": {"state": MOVES[Move.RELEASE][1]}, "$inc": {"attempts": -1}, "$unset": {"token": ""}},
    )


def _header(lease: Lease, state: State, *, opted_out: bool) -> dict[str, Any]:
    organization, call = lease.call.split("/")
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
    return {**header, "open": True} if is_open(state) else header


def call_document(lease: Lease, result: FoldResult) -> Mapping[str, Any]:
    """Return the document of a call: the record as fields, the same as text, and the folder's own fields."""
    move = Move.STORE_FINAL if result.final else Move.STORE_LIVE
    header = {
        **_header(lease, MOVES[move][1], opted_out=result.opted_out),
        "etag": result.etag,
        "event_count": result.events,
        "conflict_count": result.conflicts,
        "rules_version": result.rules_version,
        "price_book_version": result.price_book_version,
    }
    if result.fields is None or result.body is None:
        return header
    return beside({**header, "body": result.body.decode()}, result.fields)


def broken_document(lease: Lease) -> dict[str, Any]:
    """Return the document of a call that cannot be folded: its header alone."""
    return {
        **_header(lease, MOVES[Move.BREAK][1], opted_out=lease.opted_out),
        "attempts": MAX_ATTEMPTS - 1,
        "token": None,
    }


def lease_of(header: dict[str, Any], token: str) -> Lease:
    """Return the claim that a header tells of."""
    return Lease(
        header["_id"], token, header["partition"], header["last_arrival"], header["attempts"], header["opt_out"]
    )


def logged_of(found: dict[str, Any]) -> LogDocument:
    """Return a document of the log."""
    return LogDocument(found["_id"], tuple(found["events"]), _unix_ms(found.get("redacted_at")))


def stored_of(found: dict[str, Any]) -> StoredCall:
    """Return what a reader finds of a call."""
    body = found.get("body")
    text = None if body is None else body.encode()
    return StoredCall(State(found["state"]), found["opt_out"], text, found.get("etag"))


def header_of(found: dict[str, Any]) -> CallHeader:
    """Return what a call's document says beside its record."""
    versions = found.get("rules_version"), found.get("price_book_version")
    return CallHeader(State(found["state"]), found["partition"], found["last_arrival"], *versions)


def waiting_of(header: dict[str, Any]) -> StaleCall:
    """Return the waiting call that a header tells of."""
    return StaleCall(header["_id"], header["partition"], header["last_arrival"], _unix_ms(header["marked_at"]))


def arrivals(before: int, after: IdleCall | None) -> list[dict[str, Any]]:
    """Return the filters, in order, for calls behind `after` whose last arrival is `before` this.

    Two, because an index answers them by itself, and not the `$or` of both.
    """
    if after is None:
        return [{"last_arrival": {"$lt": before}}]
    at_once = {"last_arrival": after.last_arrival, "_id": {"$gt": after.call}}
    return [at_once, {"last_arrival": {"$gt": after.last_arrival, "$lt": before}}]


def _unix_ms(moment: datetime | None) -> int:
    return 0 if moment is None else to_unix_ms(moment)
