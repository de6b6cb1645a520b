"""The commands without servers."""

import asyncio
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NoReturn

import click
import orjson
import pytest
from click.testing import CliRunner
from pydantic import SecretStr

from services.ops import __main__ as program
from services.ops.app import create_app
from services.ops.commands.arguments import key
from services.ops.errors import CommandError
from services.ops.settings import MONGO, OpsSettings
from shared.calls.fold_call import store_call
from shared.contract.ids import call_key
from shared.store.api_keys import opens
from shared.store.ids import named
from shared.store.memory.calls import MemoryStore
from shared.store.zstd_frame import Frame, compress, read_frame
from tests.support.callfold import CALLFOLD, PEPPER, MemoryCallfold
from tests.support.events.makers import book, event, raw
from tests.support.eventually import scaled
from tests.support.store.makers import damage_record, document, leased, update, without_blocks

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
    ["events"],
    ["problems"],
    ["rebuild"],
    ["rewind"],
    ["lag"],
    ["accounts", "hash"],
]


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_every_help_shows_an_example(command: list[str]) -> None:
    result = CliRunner().invoke(create_app(), [*command, "--help"])

    assert result.exit_code == 0
    assert "Example: callfold" in result.output


def test_every_command_prints_json_if_asked() -> None:
    without = [words for words, command in leaves(create_app()) if "--json" not in options(command)]

    assert without == []


def leaves(group: click.Group) -> Iterator[tuple[str, click.Command]]:
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from ((f"{name} {words}", leaf) for words, leaf in leaves(command))
        else:
            yield name, command


def options(command: click.Command) -> set[str]:
    return {name for param in command.params for name in param.opts}


@pytest.mark.parametrize("command", [[], ["dead-letters"], ["keys"]], ids=" ".join)
def test_the_help_of_a_group_has_a_whole_sentence_for_each_command(command: list[str]) -> None:
    result = CliRunner().invoke(create_app(), [*command, "--help"], terminal_width=80)

    assert "..." not in result.output.partition("Commands:")[2]


@pytest.mark.parametrize(
    "typed",
    [
        ["publish"],
        ["get", "org-789"],
        ["get", "org-789", ".."],
        ["problems", "--since", "yesterday"],
        ["lag", "--xml"],
        ["keys", "create", "--organization", "a/b"],
        ["fold"],
        ["dead-letters", "replay", "17", "--call", "a"],
        ["dead-letters", "export", "--json"],
        ["events", "org-789", "call-456", "--raw", "--json"],
        ["rewind", "--to", "24h", "--margin", "nan"],
        ["rewind", "--to", "24h", "--margin", "inf"],
        ["--env", "none.env", "lag"],
        ["--env", "/", "lag"],
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


def test_a_secret_is_shown_once(memory: MemoryCallfold) -> None:
    created = orjson.loads(memory.run("keys", "create", "--organization", "org-789", "--name", "n", "--json").stdout)
    listed = memory.run("keys", "list", "--json").stdout

    assert list(created) == ["organization_id", "api_key", "api_secret", "created_at"]
    assert [key["api_key"] for key in orjson.loads(listed)] == [created["api_key"]]
    assert created["api_secret"] not in listed
    assert "digest" not in listed


def test_a_secret_is_valid_until_the_key_is_revoked(memory: MemoryCallfold) -> None:
    created = orjson.loads(memory.run("keys", "create", "--organization", "org-789", "--json").stdout)
    before = asyncio.run(memory.database.keys.get(created["api_key"]))

    result = memory.run("keys", "revoke", created["api_key"])
    after = asyncio.run(memory.database.keys.get(created["api_key"]))

    assert result.exit_code == 0
    assert opens(before, created["api_secret"], PEPPER.encode())
    assert not opens(after, created["api_secret"], PEPPER.encode())


def test_a_key_that_does_not_exist_cannot_be_revoked(memory: MemoryCallfold) -> None:
    result = memory.run("keys", "revoke", "cf_none")

    assert isinstance(result.exception, CommandError)
    assert str(result.exception) == "there is no key cf_none; `keys list` shows them"


def test_programs_get_what_became_of_a_key(memory: MemoryCallfold) -> None:
    created = orjson.loads(memory.run("keys", "create", "--organization", "org-789", "--json").stdout)

    revoked = memory.run("keys", "revoke", created["api_key"], "--json")

    assert orjson.loads(revoked.stdout) == {"api_key": created["api_key"], "revoked": True}


def test_programs_get_the_sums_of_a_rebuild(memory: MemoryCallfold) -> None:
    store = memory.database.store
    asyncio.run(store.insert([document(content=raw(event("call.ended")))]))
    asyncio.run(store.mark_stale([update()]))

    done = memory.run("rebuild", "--organization", "org-789", "--broken", "--json")

    assert orjson.loads(done.stdout) == {"seen": 1, "rebuilt": 0, "broken": 0, "left": 0}


def test_a_rebuild_names_the_kafka_that_nobody_has_set(memory: MemoryCallfold) -> None:
    done = memory.run("rebuild")

    assert "CALLFOLD_KAFKA_BOOTSTRAP is not set" in done.stderr


def test_get_prints_the_record_and_its_finality(memory: MemoryCallfold) -> None:
    store = memory.database.store
    asyncio.run(store.insert([document(content=raw(event("call.started", metadata={"a": "\x9b"})))]))
    asyncio.run(store.mark_stale([update()]))

    result = memory.run("get", "org-789", "call-456", "--json")

    assert result.exit_code == 0
    assert orjson.loads(result.stdout)["metadata"] == {"a": "\x9b"}
    assert result.stdout.startswith('{\n  "id": ')
    assert "\x9b" not in result.stdout
    assert result.stderr == "live: the call is running\n"


def test_get_takes_the_id_of_a_call_as_it_is(memory: MemoryCallfold) -> None:
    store = memory.database.store
    key = call_key("org-789", "a/b%2Fc")
    asyncio.run(store.insert([document(key, content=raw(event("call.started", call="a/b%2Fc")))]))
    asyncio.run(store.mark_stale([update(key)]))

    result = memory.run("get", "org-789", "a/b%2Fc")

    assert orjson.loads(result.stdout)["call_id"] == "a/b%2Fc"


def test_get_prints_the_details(memory: MemoryCallfold) -> None:
    store = memory.database.store
    asyncio.run(store.insert([document(content=raw(event("call.started", id="1", leg_id="\x9b")))]))
    asyncio.run(store.mark_stale([update()]))

    result = memory.run("get", "--details", "org-789", "call-456")

    details = orjson.loads(result.stdout)
    assert result.exit_code == 0
    assert (details["call_id"], details["organization_id"], details["finality"]) == ("call-456", "org-789", "live")
    assert [leg["leg_id"] for leg in details["legs"]] == ["\x9b"]
    assert "\x9b" not in result.stdout
    assert result.stderr == "live: the call is running\n"


@pytest.mark.parametrize("options", [[], ["--details"]])
def test_get_names_a_call_that_does_not_exist(memory: MemoryCallfold, options: list[str]) -> None:
    result = memory.run("get", *options, "org-789", "call-456")

    assert str(result.exception) == "the organization org-789 has no call call-456"


@pytest.mark.parametrize("damage", [without_blocks, lambda _: read_frame(compress(b'{"call_id": '), 100)])
def test_get_names_the_command_that_mends_a_damaged_record(
    memory: MemoryCallfold, damage: Callable[[Frame], Frame]
) -> None:
    store = memory.database.store
    assert isinstance(store, MemoryStore)
    asyncio.run(store.insert([document(content=raw(event("call.ended")))]))
    lease = asyncio.run(leased(store))
    asyncio.run(store_call(store, lease, book()))
    asyncio.run(damage_record(store, damage=damage))

    damaged = memory.run("get", "org-789", "call-456")
    rebuilt = memory.run("rebuild", "--organization", "org-789", "--call", "call-456")
    mended = memory.run("get", "org-789", "call-456")

    assert str(damaged.exception) == (
        "the call org-789/call-456 cannot be folded; its events are kept: "
        "callfold rebuild --organization org-789 --call call-456 tries again"
    )
    assert rebuilt.stdout == "1 calls, 1 rebuilt, 0 broken\n"
    assert (mended.exit_code, orjson.loads(mended.stdout)["call_status"]) == (0, "ENDED")


def test_rebuild_names_a_call_as_its_events_do(memory: MemoryCallfold) -> None:
    result = memory.run("rebuild", "--organization", "org-789", "--call", "a/b%2Fc")

    assert str(result.exception) == "the log has no events of a call org-789/a/b%2Fc"


def test_a_call_to_continue_after_is_named_as_its_events_do() -> None:
    assert key("org-789/a/b%2Fc") == call_key("org-789", "a/b%2Fc")
    assert named(key("org-789/a/b%2Fc")) == "org-789/a/b%2Fc"


@pytest.mark.parametrize(
    "uri", ["mongodb://user:s%40cret@a:1,b:2/db?x=1", "mongodb://a:1,b:2", "mongodb://user@a:1,b:2?x=@", "a:1,b:2"]
)
def test_the_address_of_a_database_has_no_secret(uri: str) -> None:
    assert OpsSettings(mongo_uri=SecretStr(uri)).address(MONGO) == "a:1,b:2"


def test_ctrl_c_is_one_line_and_its_usual_exit_code() -> None:
    def interrupted(_: OpsSettings) -> NoReturn:
        raise KeyboardInterrupt

    done = CliRunner().invoke(create_app(), ["keys", "list"], obj=interrupted)

    assert isinstance(done.exception, CommandError)
    assert (str(done.exception), done.exception.code) == ("interrupted", 130)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_output_that_cannot_be_written_is_one_line() -> None:
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [CALLFOLD, "--help"], stdout=full, stderr=subprocess.PIPE, timeout=scaled(60), check=False
        )

    expected = b"callfold: cannot write the output: No space left on device\n"
    assert (done.returncode, done.stderr) == (1, expected)
