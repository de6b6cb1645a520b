"""The commands without servers."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import orjson
import pytest
from typer.testing import CliRunner, Result

from services.ops import __main__ as program
from services.ops.app import create_app
from services.ops.database import Database, address
from services.ops.errors import CommandError
from services.ops.settings import OpsSettings
from shared.store.api_keys import opens
from shared.store.memory.api_keys import MemoryApiKeys
from shared.store.memory.calls import MemoryStore
from tests.support.callfold import CALLFOLD, run
from tests.support.events.makers import event, raw
from tests.support.eventually import scaled
from tests.support.store.makers import document, update

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


class Memory:
    """The command on the in-memory store."""

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
def test_invalid_arguments_are_one_line(
    typed: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["callfold", *typed])

    code = program.run()

    output, error = capsys.readouterr()
    assert (code, output, error.count("\n")) == (2, "", 1)
    assert error.startswith("callfold: ")


@pytest.mark.parametrize(
    ("limits", "why"),
    [
        (["--reason", "mising"], "'not_json'"),
        (["--from", "2026-11-22T10:00:00"], "RFC 3339"),
        (["--from", "2026-11-22T10:00:00Z", "--until", "2026-11-22T11:00:00+01:00"], "--from must be before --until"),
    ],
)
@pytest.mark.parametrize("command", ["list", "export", "replay"])
def test_an_invalid_limit_is_named(command: str, limits: list[str], why: str) -> None:
    result = CliRunner().invoke(create_app(), ["dead-letters", command, *limits], standalone_mode=False)

    assert why in str(result.exception)


def test_validate_names_each_invalid_line_and_its_reason() -> None:
    good = raw(event("call.dtmf"))
    text = good + b"\n\n{\n" + raw(event("call.note") | {"specversion": "\x1b[2J"}) + b"\r\n" + good

    done = run("validate", "-", text=text)

    assert (done.returncode, done.stdout) == (1, b"2 valid, 2 refused\n")
    first, second = done.stderr.decode().splitlines()
    assert first.startswith("standard input:3: not_json: ")
    assert second == r"standard input:4: not_cloudevents: `specversion` must be `1.0`, got '\x1b[2J'"


def test_validate_accepts_valid_lines(tmp_path: Path) -> None:
    file = tmp_path / "events.jsonl"
    file.write_bytes(raw(event("call.dtmf")))

    done = run("validate", str(file))

    assert (done.returncode, done.stdout, done.stderr) == (0, b"1 valid, 0 refused\n", b"")


def test_a_secret_is_shown_once(memory: Memory) -> None:
    created = orjson.loads(memory.run("keys", "create", "--organization", "org-789", "--name", "n", "--json").stdout)
    listed = memory.run("keys", "list", "--json").stdout

    assert list(created) == ["organization_id", "api_key", "api_secret", "created_at"]
    assert [key["api_key"] for key in orjson.loads(listed)] == [created["api_key"]]
    assert created["api_secret"] not in listed
    assert "digest" not in listed


def test_a_secret_is_valid_until_the_key_is_revoked(memory: Memory) -> None:
    created = orjson.loads(memory.run("keys", "create", "--organization", "org-789", "--json").stdout)
    before = asyncio.run(memory.database.keys.get(created["api_key"]))

    result = memory.run("keys", "revoke", created["api_key"])
    after = asyncio.run(memory.database.keys.get(created["api_key"]))

    assert result.exit_code == 0
    assert opens(before, created["api_secret"], PEPPER.encode())
    assert not opens(after, created["api_secret"], PEPPER.encode())


def test_a_key_that_does_not_exist_cannot_be_revoked(memory: Memory) -> None:
    result = memory.run("keys", "revoke", "cf_none")

    assert isinstance(result.exception, CommandError)
    assert str(result.exception) == "there is no key cf_none; `keys list` shows them"


def test_get_prints_the_record_and_its_finality(memory: Memory) -> None:
    store = memory.database.store
    asyncio.run(store.insert([document(content=raw(event("call.started", metadata={"a": "\x9b"})))]))
    asyncio.run(store.mark_stale([update()]))

    result = memory.run("get", "org-789", "call-456")

    assert result.exit_code == 0
    assert orjson.loads(result.stdout)["metadata"] == {"a": "\x9b"}
    assert result.stdout.startswith('{\n  "id": ')
    assert "\x9b" not in result.stdout
    assert result.stderr == "live: the call is running\n"


def test_get_names_a_call_that_does_not_exist(memory: Memory) -> None:
    result = memory.run("get", "org-789", "call-456")

    assert str(result.exception) == "the organization org-789 has no call call-456"


@pytest.mark.parametrize(
    "uri", ["mongodb://user:s%40cret@a:1,b:2/db?x=1", "mongodb://a:1,b:2", "mongodb://user@a:1,b:2?x=@", "a:1,b:2"]
)
def test_the_address_of_a_database_has_no_secret(uri: str) -> None:
    assert address(uri) == "a:1,b:2"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_output_that_cannot_be_written_is_one_line() -> None:
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [CALLFOLD, "--help"], stdout=full, stderr=subprocess.PIPE, timeout=scaled(60), check=False
        )

    expected = b"callfold: cannot write the output: No space left on device\n"
    assert (done.returncode, done.stderr) == (1, expected)
