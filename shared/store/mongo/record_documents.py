"""The record of a call in its document of the collection `calls`: as compressed text and as native fields."""

from typing import Any

import bson

from shared.fold.record import Record
from shared.store.models import MAX_RECORD_BYTES, FoldResult, Lease, StoredCall
from shared.store.mongo.documents import is_damaged, leased_header
from shared.store.states import MOVES, Move, State
from shared.store.zstd_frame import Frame, compress, read_frame

_BSON_PER_JSON = 7
"""BSON takes at most so many times the bytes of JSON: `0,` in an array of millions takes 13 bytes."""

_NOT_NATIVE = frozenset({"organization_id", "call_id", "transcript_object", "transcript_with_tool_calls"})
"""Keys of a record that are in the header, or have another form."""


def call_document(lease: Lease, result: FoldResult) -> dict[str, Any]:
    """Return the document of a call: its header, and the record as compressed text and as fields, if both fit.

    Raises:
        BSONError, OverflowError: BSON cannot hold the record.
    """
    move = Move.STORE_FINAL if result.final else Move.STORE_LIVE
    written = {
        **leased_header(lease, MOVES[move][1], opted_out=result.opted_out),
        "etag": result.etag,
        "event_count": result.events,
        "conflict_count": result.conflicts,
        "problem_count": sum(result.problems.values()),
        "problem_kinds": dict(result.problems),
        "rules_version": result.rules_version,
        "price_book_version": result.price_book_version,
    }
    if len(result.body) > MAX_RECORD_BYTES:
        return written
    # The header goes first, so that the server finds its fields without passing the record.
    document = {**written, "body": compress(result.body), **native_fields(result.record)}
    return document if _fits(document, len(result.body)) else written


def native_fields(record: Record) -> dict[str, Any]:
    """Return the fields of a record for MongoDB's users: without what they have twice, or what only the text has.

    The words of turns are in the text alone. `tool_calls` has the tool calls and results of
    `transcript_with_tool_calls`, as they are there; its turns are those of `transcript_object`.
    """
    fields: dict[str, Any] = {name: value for name, value in record.items() if name not in _NOT_NATIVE}
    fields["transcript_object"] = [
        {"role": turn["role"], "content": turn["content"], "timestamp": turn["timestamp"]}
        for turn in record["transcript_object"]
    ]
    fields["tool_calls"] = [entry for entry in record["transcript_with_tool_calls"] if "tool_call_id" in entry]
    return fields


def _fits(document: dict[str, Any], text: int) -> bool:
    return text * (1 + _BSON_PER_JSON) <= MAX_RECORD_BYTES or len(bson.encode(document)) <= MAX_RECORD_BYTES


def stored_of(found: dict[str, Any]) -> StoredCall:
    if is_damaged(found, "state", "opt_out", "last_arrival"):
        return StoredCall(State.BROKEN, found.get("opt_out") is True, None)
    etag = found.get("etag")
    return StoredCall(
        State(found["state"]),
        found["opt_out"],
        etag if isinstance(etag, str) else None,
        _content(found.get("body")),
    )


def _content(body: object) -> bytes | Frame | None:
    """Return the text of the record; None if there is none, or somebody edited it: it is folded from the log."""
    if isinstance(body, str):
        return body.encode()  # as earlier versions stored it
    try:
        return read_frame(body, MAX_RECORD_BYTES) if isinstance(body, bytes) else None
    except ValueError:
        return None
