"""Exported dead letters: no loss, and files that are complete or do not exist."""

import base64
from contextlib import suppress
from pathlib import Path
from typing import Any

import orjson
import pytest

from services.ops.errors import CommandError
from services.ops.export import line_of, written
from shared.dead_letters.dead_letter import dead_letter_of
from tests.support.events.dead_letters import SAID, Record


def decoded(readable: Any) -> bytes | None:
    """Return the bytes, as a program that reads an export has to."""
    match readable:
        case None:
            return None
        case {"text": text, **rest} if not rest:
            return str(text).encode()
        case {"base64": text, **rest} if not rest:
            return base64.b64decode(text, validate=True)
    raise AssertionError(readable)


@pytest.mark.parametrize(
    "record",
    [
        Record(),
        Record(key=None, value=None),
        Record(key=b"", value=b""),
        Record(value=bytes(range(256)), headers=(("ce_id", b"\xff"), ("ce_id", None), *SAID)),
        Record(value='{"base64": "é\u2028\x9b\r\n"}'.encode()),
        Record(value=b"\xed\xa0\x80"),
    ],
    ids=["usual", "nothing", "empty", "no text", "looks like base64", "a lone surrogate"],
)
def test_every_record_can_be_restored_byte_for_byte(record: Record) -> None:
    line = line_of(dead_letter_of(record, only_partition=True))

    exported = orjson.loads(line)
    assert (decoded(exported["key"]), decoded(exported["value"])) == (record.key, record.value)
    assert [(name, decoded(value)) for name, value in exported["headers"]] == list(record.headers)
    assert line.endswith("}\n")
    assert line.removesuffix("\n").isprintable()


def test_a_line_begins_with_the_fields_of_the_list() -> None:
    exported = orjson.loads(line_of(dead_letter_of(Record(), only_partition=True)))

    assert list(exported)[:6] == ["number", "time", "reason", "detail", "organization", "call"]
    assert (exported["number"], exported["topic"], exported["offset"]) == ("17", "calls.telephony", 1042)


def test_a_file_exists_once_it_is_complete(tmp_path: Path) -> None:
    file = tmp_path / "letters.jsonl"

    with written(str(file), force=False) as write:
        write("é\n")
        meanwhile = file.exists()

    assert not meanwhile
    assert file.read_text(encoding="utf-8") == "é\n"
    assert file.stat().st_mode & 0o077 == 0
    assert list(tmp_path.iterdir()) == [file]


@pytest.mark.parametrize("force", [False, True])
def test_an_export_that_is_interrupted_leaves_nothing(tmp_path: Path, force: bool) -> None:
    file = tmp_path / "letters.jsonl"
    if force:
        file.write_text("old")

    with suppress(KeyboardInterrupt), written(str(file), force=force) as write:
        write("half")
        raise KeyboardInterrupt

    assert [path.read_text() for path in tmp_path.iterdir()] == ["old"] * force


def test_only_force_replaces_a_file(tmp_path: Path) -> None:
    file = tmp_path / "letters.jsonl"
    file.write_text("old")

    with pytest.raises(CommandError, match="--force"), written(str(file), force=False):
        pass
    kept = file.read_text()
    with written(str(file), force=True) as write:
        write("new")

    assert (kept, file.read_text()) == ("old", "new")


def test_a_file_that_is_created_meanwhile_is_kept(tmp_path: Path) -> None:
    file = tmp_path / "letters.jsonl"

    writing = written(str(file), force=False)
    writing.__enter__()("ours")
    file.write_text("theirs")
    with pytest.raises(CommandError, match="already exists"):
        writing.__exit__(None, None, None)

    assert [path.read_text() for path in tmp_path.iterdir()] == ["theirs"]


def test_force_replaces_regular_files_only(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="is not a regular file"), written(str(tmp_path), force=True):
        pass


def test_a_directory_that_does_not_exist_is_one_line(tmp_path: Path) -> None:
    with (
        pytest.raises(CommandError, match="No such file"),
        written(str(tmp_path / "a" / "b"), force=False),
    ):
        pass
