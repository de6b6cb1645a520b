"""Somebody edits a document of the event log in MongoDB: its call cannot be folded any more."""

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from deploy.local.errors import LocalError
from shared.config.mongo import MongoSettings
from shared.config.mongo_access import MongoAccess
from shared.store.ids import id_range
from shared.store.mongo.client import Connection

_FOUND_WITHIN = 30.0
_PAUSE = 0.1
_JUST_NOW_MS = 5_000

_Document = dict[str, Any]


@contextmanager
def damaged_call(variables: Mapping[str, str]) -> Iterator[None]:
    """Damage the log of the oldest call that is under way; mend it in the end, and have the call folded again."""
    uri = variables["CALLFOLD_MONGO_URI"]
    found = asyncio.run(_damage(uri))
    try:
        yield
    finally:
        asyncio.run(_replace(uri, found["_id"], found["events"]))
        command = [sys.executable, "-m", "services.ops", "rebuild", "--broken"]
        subprocess.run(command, env={**os.environ, **variables}, stdout=subprocess.DEVNULL, check=True)  # noqa: S603 - our own command


async def _damage(uri: str) -> _Document:
    deadline = time.monotonic() + _FOUND_WITHIN
    while (found := await _log_document(uri)) is None:
        if time.monotonic() > deadline:
            raise LocalError(f"There is no call under way after {_FOUND_WITHIN:.0f} s.")
        await asyncio.sleep(_PAUSE)
    await _replace(uri, found["_id"], "edited by hand")
    return found


async def _log_document(uri: str) -> _Document | None:
    """Return a document of the call that is nearest to its end, None if none is under way."""
    connection = _connected(uri)
    try:
        live = {
            "state": "live",
            "call_id": {"$regex": "^call-"},
            "last_arrival": {"$gt": time.time_ns() // 1_000_000 - _JUST_NOW_MS},
        }
        call = await connection.collection("calls").find_one(live, {"_id": 1}, sort=[("call_id", 1)])
        if call is None:
            return None
        first, end = id_range(call["_id"])
        found: _Document | None = await connection.collection("call_events").find_one(
            {"_id": {"$gte": first, "$lt": end}}
        )
        return found
    finally:
        await connection.close()


async def _replace(uri: str, document: str, events: Any) -> None:
    connection = _connected(uri)
    try:
        await connection.collection("call_events").update_one({"_id": document}, {"$set": {"events": events}})
    finally:
        await connection.close()


def _connected(uri: str) -> Connection:
    return Connection(MongoAccess(uri), MongoSettings.model_fields["mongo_database"].default)
