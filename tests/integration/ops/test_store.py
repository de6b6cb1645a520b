"""`callfold keys`, `callfold get` and `callfold problems` on a real MongoDB."""

import subprocess
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import orjson
import pytest

from shared.calls.fold_call import store_call
from shared.contract.ids import call_key
from shared.store.api_keys import opens
from shared.store.mongo.api_keys import MongoApiKeys
from shared.store.mongo.calls import MongoStore
from shared.store.mongo.client import Connection
from tests.support.callfold import PEPPER, run
from tests.support.events.makers import book, event, raw
from tests.support.eventually import scaled
from tests.support.store.makers import document, leased, result, update

Command = Callable[..., "subprocess.CompletedProcess[bytes]"]


@pytest.fixture
def callfold(tmp_path: Path, mongo_uri: str, database: str) -> Command:
    return partial(run, cwd=tmp_path, mongo_uri=mongo_uri, mongo_database=database, api_secret_pepper=PEPPER)


async def test_a_key_is_created_listed_and_revoked(callfold: Command, connection: Connection) -> None:
    keys = MongoApiKeys(connection)

    created = orjson.loads(callfold("keys", "create", "--organization", "org-789", "--name", "dash", "--json").stdout)
    kept = await keys.get(created["api_key"])
    (listed,) = orjson.loads(callfold("keys", "list", "--json").stdout)
    revoked = [callfold("keys", "revoke", created["api_key"]).returncode for _ in range(2)]

    assert kept is not None
    assert opens(kept, created["api_secret"], PEPPER.encode())
    assert listed == {
        "api_key": created["api_key"],
        "organization_id": "org-789",
        "name": "dash",
        "created_at": created["created_at"],
        "revoked_at": None,
    }
    assert revoked == [0, 0]
    assert not opens(await keys.get(created["api_key"]), created["api_secret"], PEPPER.encode())


def test_an_unknown_key_is_one_line(callfold: Command) -> None:
    done = callfold("keys", "revoke", "cf_none")

    expected = b"callfold: there is no key cf_none; `keys list` shows them\n"
    assert (done.returncode, done.stdout, done.stderr) == (1, b"", expected)


async def test_the_events_of_a_call_are_listed_as_the_log_has_them(callfold: Command, connection: Connection) -> None:
    store = MongoStore(connection)
    first, second = (raw(event("call.note", id="1", event=text)) for text in "ab")
    await store.insert([document(offset=5, content=second), document(offset=9, content=first)])
    await store.mark_stale([update()])

    table = callfold("events", "org-789", "call-456")
    listed = orjson.loads(callfold("events", "org-789", "call-456", "--json").stdout)
    bodies = callfold("events", "org-789", "call-456", "--raw").stdout.splitlines()
    unknown = callfold("events", "org-789", "call-457")

    assert (table.returncode, len(table.stdout.splitlines())) == (0, 4)
    assert {(each["offset"], each["standing"]) for each in listed} == {(5, "lost"), (9, "counts")}
    assert set(bodies) == {first, second}
    assert (unknown.returncode, unknown.stdout, unknown.stderr.count(b"\n")) == (1, b"", 1)


async def test_get_prints_the_record(callfold: Command, connection: Connection) -> None:
    store = MongoStore(connection)
    await store.insert([document(content=raw(event("call.ended", at=1_703_097_930_000)))])
    await store.mark_stale([update()])

    done = callfold("get", "org-789", "call-456")

    record = orjson.loads(done.stdout)
    assert done.returncode == 0
    assert (record["call_status"], record["disconnection_reason"]) == ("ENDED", "user_hangup")
    assert done.stdout == orjson.dumps(record, option=orjson.OPT_INDENT_2) + b"\n"
    assert done.stderr == b"settling: the call has ended, and events may still arrive\n"


async def test_get_prints_what_a_final_record_has_beyond_its_fields(callfold: Command, connection: Connection) -> None:
    store = MongoStore(connection)
    words = [{"word": "Hello!", "start": 1_703_097_700_000, "end": 1_703_097_700_500}]
    call = [event("tool.called"), event("transcript.turn", words=words), event("call.ended", at=1_703_097_930_000)]
    await store.insert([document(offset=number, content=raw(body)) for number, body in enumerate(call)])
    await store_call(store, await leased(store), book())
    fields = await connection.collection("calls").find_one({"tool_calls.name": "find_order"})

    done = callfold("get", "org-789", "call-456")

    record = orjson.loads(done.stdout)
    tool, turn = record["transcript_with_tool_calls"]
    assert record["transcript_object"] == [turn]
    assert (turn["words"], tool["name"]) == (words, "find_order")
    assert "words" not in fields["transcript_object"][0]
    assert fields["tool_calls"] == [tool]
    assert done.stderr.startswith(b"final")


async def test_get_prints_the_details(callfold: Command, connection: Connection) -> None:
    store = MongoStore(connection)
    key = call_key("org-789", "a/b")
    ended = event("call.ended", id="1", at=1_703_097_930_000, call="a/b", leg_id="leg-1")
    await store.insert([document(key, content=raw(ended))])
    await store.mark_stale([update(key)])

    done = callfold("get", "--details", "org-789", "a/b")

    details = orjson.loads(done.stdout)
    assert done.returncode == 0
    assert (details["call_id"], details["event_count"], details["finality"]) == ("a/b", 1, "settling")
    assert [leg["leg_id"] for leg in details["legs"]] == ["leg-1"]


async def test_problems_lists_the_calls_that_contradict_themselves(callfold: Command, connection: Connection) -> None:
    store = MongoStore(connection)
    await store.prepare()
    for call, found in (("o/right", {}), ("o/wrong", {"conflict": 2}), ("p/wrong", {"end_undone": 1})):
        await store.store_results([(await leased(store, call), result(problems=found))])

    table = callfold("problems", "--kind", "conflict")
    listed = orjson.loads(callfold("problems", "--organization", "p", "--json").stdout)

    assert (table.returncode, table.stdout.splitlines()[-1]) == (0, b"1 calls, 2 problems: conflict 2")
    assert [(call["organization_id"], call["problem_kinds"]) for call in listed] == [("p", {"end_undone": 1})]


def test_an_unknown_call_is_one_line(callfold: Command) -> None:
    done = callfold("get", "org-789", "call-456")

    expected = b"callfold: the organization org-789 has no call call-456\n"
    assert (done.returncode, done.stdout, done.stderr) == (1, b"", expected)


def test_an_unreachable_database_is_one_line_without_the_password(tmp_path: Path) -> None:
    uri = "mongodb://user:s3cret@127.0.0.1:1/?replicaSet=rs"
    begin = time.monotonic()

    done = run("get", "org-789", "call-456", cwd=tmp_path, mongo_uri=uri)

    assert time.monotonic() - begin < scaled(20)
    assert (done.returncode, done.stdout, done.stderr.count(b"\n")) == (1, b"", 1)
    assert done.stderr.startswith(b"callfold: MongoDB at 127.0.0.1:1 does not answer (CALLFOLD_MONGO_URI): ")
    assert b"s3cret" not in done.stderr


def test_an_invalid_uri_is_not_quoted(tmp_path: Path) -> None:
    done = run("keys", "list", cwd=tmp_path, mongo_uri="mongodb://user:s3/cret@127.0.0.1")

    assert done.returncode == 2
    assert done.stderr.startswith(b"callfold: CALLFOLD_MONGO_URI ")
    assert b"cret" not in done.stderr
