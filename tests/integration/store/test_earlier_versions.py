"""Documents as earlier versions wrote them: they are read as they are, and replaced by the next fold."""

import asyncio
import subprocess
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import orjson
import pytest
import zstandard
from bson import json_util

from shared.calls.fold_call import redact_log
from shared.config.price_book import load
from shared.fold.redaction import redact
from shared.store.mongo.api_keys import MongoApiKeys
from shared.store.mongo.calls import MongoStore
from shared.store.mongo.client import Connection
from tests.support.api.client import reader
from tests.support.callfold import run
from tests.support.store.makers import CALL

FIXTURE = Path(__file__).parents[2] / "support" / "store" / "earlier_call.json"
"""A call before its record was compressed: the text is a string, and the fields are those of the whole record."""

Command = Callable[..., "subprocess.CompletedProcess[bytes]"]


@pytest.fixture
async def earlier(connection: Connection) -> dict[str, Any]:
    """Write the documents; return that of the call."""
    found: dict[str, Any] = json_util.loads(FIXTURE.read_text())
    await MongoStore(connection).prepare()
    await connection.collection("call_events").insert_many(found["log"])
    await connection.collection("calls").insert_one(found["call"])
    call: dict[str, Any] = found["call"]
    return call


@pytest.fixture
def log(earlier: dict[str, Any]) -> dict[str, Any]:
    """Return the call's document of the log, whose events are a list."""
    assert earlier["_id"] == CALL
    found: dict[str, Any] = json_util.loads(FIXTURE.read_text())["log"][0]
    return found


@pytest.fixture
def callfold(tmp_path: Path, mongo_uri: str, database: str) -> Command:
    return partial(run, cwd=tmp_path, mongo_uri=mongo_uri, mongo_database=database)


@pytest.mark.parametrize("accepted", ["identity", "gzip", "zstd"])
async def test_the_api_serves_the_stored_text(connection: Connection, earlier: dict[str, Any], accepted: str) -> None:
    api = await reader(MongoStore(connection), MongoApiKeys(connection))

    response = await api.get("/api/calls/call-456", headers={"Accept-Encoding": accepted})

    assert (response.status_code, response.headers["X-Call-Finality"]) == (200, "final")
    assert response.headers["ETag"].startswith(earlier["etag"][:-1])
    assert response.content.endswith(b'"data":%b}' % earlier["body"].encode())


async def test_the_command_prints_and_lists_it(callfold: Command, earlier: dict[str, Any]) -> None:
    got = await asyncio.to_thread(callfold, "get", "org-789", "call-456")
    listed = await asyncio.to_thread(callfold, "problems", "--json")

    assert orjson.loads(got.stdout) == orjson.loads(earlier["body"])
    assert got.stderr.startswith(b"final")
    assert b'"call-456"' in listed.stdout


async def test_the_log_is_read_and_listed_as_it_is(
    callfold: Command, connection: Connection, log: dict[str, Any]
) -> None:
    store = MongoStore(connection)

    (read,) = (await store.read([CALL]))[CALL]
    listed = await asyncio.to_thread(callfold, "events", "org-789", "call-456", "--raw")

    assert (read.id, read.events, read.contract) == (log["_id"], tuple(log["events"]), 0)
    assert await store.documents([log["_id"]]) == [read]
    assert set(listed.stdout.splitlines()) == set(log["events"])


@pytest.mark.usefixtures("earlier")
async def test_the_log_is_redacted_into_todays_form(connection: Connection, log: dict[str, Any]) -> None:
    store = MongoStore(connection)
    read = await store.read([CALL])
    assert await store.unredacted([CALL]) == {CALL}

    await redact_log(store, CALL, read[CALL])

    document = await connection.collection("call_events").find_one({"_id": log["_id"]})
    (redacted,) = (await store.read([CALL]))[CALL]
    assert await store.unredacted([CALL]) == set()
    assert document.keys() == {"_id", "events", "lengths", "redacted_at"}
    assert redacted.events == tuple(redact(raw) for raw in log["events"])


@pytest.mark.usefixtures("earlier")
async def test_a_rebuild_of_outdated_records_leaves_it_and_one_of_all_replaces_it(
    callfold: Command, connection: Connection
) -> None:
    calls = connection.collection("calls")
    await calls.update_one({}, {"$set": {"price_book_version": load().version}})

    await asyncio.to_thread(callfold, "rebuild", "--outdated")
    left = await calls.find_one({"transcript_with_tool_calls.name": "find_order"})
    await asyncio.to_thread(callfold, "rebuild")

    assert isinstance(left["body"], str)
    assert await calls.find_one({"tool_calls.name": "find_order"})


async def test_the_next_fold_stores_the_same_record_in_todays_form(
    callfold: Command, connection: Connection, earlier: dict[str, Any]
) -> None:
    done = await asyncio.to_thread(callfold, "rebuild", "--organization", "org-789", "--call", "call-456")

    document = await connection.collection("calls").find_one({"tool_calls.name": "find_order"})
    assert (done.returncode, document["_id"]) == (0, CALL)
    assert orjson.loads(zstandard.decompress(document["body"])) == orjson.loads(earlier["body"])
    assert "transcript_with_tool_calls" not in document
