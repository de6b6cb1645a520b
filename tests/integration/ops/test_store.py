"""`callfold keys` and `callfold get` on a real MongoDB."""

import time
from pathlib import Path

import orjson
import pytest

from shared.store.api_keys import opens
from shared.store.mongo.api_keys import MongoApiKeys
from shared.store.mongo.calls import MongoStore
from shared.store.mongo.client import Connection
from tests.support.callfold import CallfoldProcess
from tests.support.events.makers import event, raw
from tests.support.eventually import scaled
from tests.support.store.makers import document, update

PEPPER = "p" * 32


@pytest.fixture
def callfold(tmp_path: Path, mongo_uri: str, database: str) -> CallfoldProcess:
    return CallfoldProcess(tmp_path, mongo_uri=mongo_uri, mongo_database=database, api_secret_pepper=PEPPER)


async def test_a_key_is_made_listed_and_revoked(callfold: CallfoldProcess, connection: Connection) -> None:
    keys = MongoApiKeys(connection)

    made = orjson.loads(callfold("keys", "create", "--organization", "org-789", "--name", "dash", "--json").stdout)
    kept = await keys.get(made["api_key"])
    (listed,) = orjson.loads(callfold("keys", "list", "--json").stdout)
    revoked = [callfold("keys", "revoke", made["api_key"]).returncode for _ in range(2)]

    assert kept is not None
    assert opens(kept, made["api_secret"], PEPPER.encode())
    assert listed == {
        "api_key": made["api_key"],
        "organization_id": "org-789",
        "name": "dash",
        "created_at": made["created_at"],
        "revoked_at": None,
    }
    assert revoked == [0, 0]
    assert not opens(await keys.get(made["api_key"]), made["api_secret"], PEPPER.encode())


def test_an_unknown_key_costs_one_line(callfold: CallfoldProcess) -> None:
    done = callfold("keys", "revoke", "cf_none")

    assert (done.returncode, done.stdout, done.stderr) == (1, b"", b"callfold: there is no key cf_none\n")


async def test_get_prints_the_record(callfold: CallfoldProcess, connection: Connection) -> None:
    store = MongoStore(connection)
    await store.insert([document(content=raw(event("call.ended", at=1_703_097_930_000)))])
    await store.mark_stale([update()])

    done = callfold("get", "org-789", "call-456")

    record = orjson.loads(done.stdout)
    assert done.returncode == 0
    assert (record["call_status"], record["disconnection_reason"]) == ("ENDED", "user_hangup")
    assert done.stdout == orjson.dumps(record, option=orjson.OPT_INDENT_2) + b"\n"
    assert done.stderr == b"settling: the call has ended, events may still be on their way\n"


def test_an_unknown_call_costs_one_line(callfold: CallfoldProcess) -> None:
    done = callfold("get", "org-789", "call-456")

    expected = b"callfold: there is no call call-456 of the organization org-789\n"
    assert (done.returncode, done.stdout, done.stderr) == (1, b"", expected)


def test_a_database_that_is_away_costs_one_line_without_the_password(tmp_path: Path) -> None:
    callfold = CallfoldProcess(tmp_path, mongo_uri="mongodb://user:s3cret@127.0.0.1:1/?replicaSet=rs")
    begin = time.monotonic()

    done = callfold("get", "org-789", "call-456")

    assert time.monotonic() - begin < scaled(20)
    assert (done.returncode, done.stdout, done.stderr.count(b"\n")) == (1, b"", 1)
    assert done.stderr.startswith(b"callfold: MongoDB at 127.0.0.1:1 does not answer (CALLFOLD_MONGO_URI): ")
    assert b"s3cret" not in done.stderr


def test_what_is_no_uri_is_not_quoted(tmp_path: Path) -> None:
    done = CallfoldProcess(tmp_path, mongo_uri="mongodb://user:s3/cret@127.0.0.1")("keys", "list")

    assert done.returncode == 2
    assert done.stderr.startswith(b"callfold: CALLFOLD_MONGO_URI ")
    assert b"cret" not in done.stderr
