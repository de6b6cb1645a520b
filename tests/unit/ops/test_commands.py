"""The command as it is typed, without servers."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import orjson
import pytest
from typer.testing import CliRunner, Result

from services.ops.app import create_app
from services.ops.database import Database, address
from services.ops.errors import Failure
from services.ops.settings import OpsSettings
from shared.store.api_keys import MemoryApiKeys, opens
from shared.store.memory.calls import MemoryStore
from tests.support.events.makers import event, raw
from tests.support.eventually import scaled
from tests.support.store.makers import document, update

CALLFOLD = Path(sys.executable).with_name("callfold")
PEPPER = "p" * 32
COMMANDS = [
    [],
    ["publish"],
    ["validate"],
    ["dead-letters"],
    ["dead-letters", "list"],
    ["dead-letters", "show"],
    ["dead-letters", "export"],
    ["dead-letters", "replay"],
    ["keys"],
    ["keys", "create"],
    ["keys", "list"],
    ["keys", "revoke"],
    ["get"],
    ["rebuild"],
    ["lag"],
]


def callfold(*arguments: str, text: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    return subprocess.run([CALLFOLD, *arguments], input=text, capture_output=True, timeout=scaled(60), check=False)


class Memory:
    """The command on a store in memory."""

    def __init__(self) -> None:
        self.database = Database(MemoryStore(), MemoryApiKeys())

    def run(self, *arguments: str) -> Result:
        return CliRunner().invoke(create_app(), arguments, obj=self.open)

    @asynccontextmanager
    async def open(self, _settings: OpsSettings) -> AsyncIterator[Database]:
        yield self.database


@pytest.fixture
def memory(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Memory:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CALLFOLD_API_SECRET_PEPPER", PEPPER)
    return Memory()


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_every_help_shows_an_example(command: list[str]) -> None:
    result = CliRunner().invoke(create_app(), [*command, "--help"])

    assert result.exit_code == 0
    assert "Example: callfold" in result.output


@pytest.mark.parametrize(
    "typed",
    [
        ["publish"],
        ["get", "org-789"],
        ["lag", "--xml"],
        ["keys", "create", "--organization", "a/b"],
        ["fold"],
        ["dead-letters", "replay", "17", "--call", "a"],
    ],
)
def test_what_is_typed_wrongly_costs_one_line(typed: list[str]) -> None:
    done = callfold(*typed)

    assert (done.returncode, done.stdout, done.stderr.count(b"\n")) == (2, b"", 1)
    assert done.stderr.startswith(b"callfold: ")


@pytest.mark.parametrize(
    ("limits", "why"),
    [
        (["--reason", "mising"], "'not_json'"),
        (["--from", "2026-11-22T10:00:00"], "RFC 3339"),
        (["--from", "2026-11-22T10:00:00Z", "--until", "2026-11-22T11:00:00+01:00"], "--from must be before --until"),
    ],
)
@pytest.mark.parametrize("command", ["list", "export", "replay"])
def test_a_limit_that_is_none_is_named(command: str, limits: list[str], why: str) -> None:
    result = CliRunner().invoke(create_app(), ["dead-letters", command, *limits], standalone_mode=False)

    assert why in str(result.exception)


def test_validate_names_each_bad_line_and_its_reason() -> None:
    good = raw(event("call.dtmf"))
    text = good + b"\n\n{\n" + raw(event("call.note") | {"time": "\x1b[2J"}) + b"\r\n" + good

    done = callfold("validate", "-", text=text)

    assert (done.returncode, done.stdout) == (1, b"2 valid, 2 refused\n")
    first, second = done.stderr.decode().splitlines()
    assert first.startswith("standard input:3: not_json: ")
    assert second == r"standard input:4: invalid_time: `time` is not an RFC 3339 time: \x1b[2J"


def test_validate_is_content_with_good_lines(tmp_path: Path) -> None:
    file = tmp_path / "events.jsonl"
    file.write_bytes(raw(event("call.dtmf")))

    done = callfold("validate", str(file))

    assert (done.returncode, done.stdout, done.stderr) == (0, b"1 valid, 0 refused\n", b"")


def test_a_key_is_shown_with_its_secret_once(memory: Memory) -> None:
    made = orjson.loads(memory.run("keys", "create", "--organization", "org-789", "--name", "n", "--json").stdout)
    listed = memory.run("keys", "list", "--json").stdout

    assert list(made) == ["organization_id", "api_key", "api_secret", "created_at"]
    assert [key["api_key"] for key in orjson.loads(listed)] == [made["api_key"]]
    assert made["api_secret"] not in listed
    assert "digest" not in listed


def test_the_secret_opens_until_the_key_is_revoked(memory: Memory) -> None:
    made = orjson.loads(memory.run("keys", "create", "--organization", "org-789", "--json").stdout)
    before = asyncio.run(memory.database.keys.get(made["api_key"]))

    result = memory.run("keys", "revoke", made["api_key"])
    after = asyncio.run(memory.database.keys.get(made["api_key"]))

    assert result.exit_code == 0
    assert opens(before, made["api_secret"], PEPPER.encode())
    assert not opens(after, made["api_secret"], PEPPER.encode())


def test_a_key_that_is_not_there_cannot_be_revoked(memory: Memory) -> None:
    result = memory.run("keys", "revoke", "cf_none")

    assert isinstance(result.exception, Failure)
    assert str(result.exception) == "there is no key cf_none"


def test_get_prints_the_record_and_how_far_it_is_settled(memory: Memory) -> None:
    store = memory.database.store
    asyncio.run(store.insert([document(content=raw(event("call.started", metadata={"a": "\x9b"})))]))
    asyncio.run(store.mark_stale([update()]))

    result = memory.run("get", "org-789", "call-456")

    assert result.exit_code == 0
    assert orjson.loads(result.stdout)["metadata"] == {"a": "\x9b"}
    assert result.stdout.startswith('{\n  "id": ')
    assert "\x9b" not in result.stdout
    assert result.stderr == "live: the call goes on\n"


def test_get_of_a_call_that_is_not_there_says_so(memory: Memory) -> None:
    result = memory.run("get", "org-789", "call-456")

    assert str(result.exception) == "there is no call call-456 of the organization org-789"


@pytest.mark.parametrize(
    "uri", ["mongodb://user:s%40cret@a:1,b:2/db?x=1", "mongodb://a:1,b:2", "mongodb://user@a:1,b:2?x=@", "a:1,b:2"]
)
def test_the_address_of_a_database_holds_no_secret(uri: str) -> None:
    assert address(uri) == "a:1,b:2"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no full device")
def test_output_that_cannot_be_written_costs_one_line() -> None:
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [CALLFOLD, "--help"], stdout=full, stderr=subprocess.PIPE, timeout=scaled(60), check=False
        )

    expected = b"callfold: the output cannot be written: No space left on device\n"
    assert (done.returncode, done.stderr) == (1, expected)
