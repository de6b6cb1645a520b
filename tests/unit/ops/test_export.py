"""Exported dead letters: nothing is lost, and a file is whole or not there."""

import base64
from contextlib import suppress
from pathlib import Path
from typing import Any

import orjson
import pytest

from services.ops.dead_letters.dead_letter import letter_of
from services.ops.dead_letters.export import line_of, written
from services.ops.errors import CommandError
from tests.support.events.dead_letters import SAID, Record


def content(said: Any) -> bytes | None:
    """Return the bytes that are meant, as whoever reads an export has to."""
    match said:
        case None:
            return None
        case {"text": text, **rest} if not rest:
            return str(text).encode()
        case {"base64": text, **rest} if not rest:
            return base64.b64decode(text, validate=True)
    raise AssertionError(said)


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
def test_every_record_can_be_made_again_byte_for_byte(record: Record) -> None:
    line = line_of((record, letter_of(record, alone=True)))

    told = orjson.loads(line)
    assert (content(told["key"]), content(told["value"])) == (record.key, record.value)
    assert [(name, content(said)) for name, said in told["headers"]] == list(record.headers)
    assert line.endswith("}\n")
    assert line.removesuffix("\n").isprintable()


def test_a_line_begins_with_what_the_list_shows() -> None:
    told = orjson.loads(line_of((Record(), letter_of(Record(), alone=True))))

    assert list(told)[:5] == ["number", "time", "reason", "detail", "call"]
    assert (told["number"], told["topic"], told["offset"]) == ("17", "calls.telephony", 1042)


def test_a_file_is_there_when_it_is_whole(tmp_path: Path) -> None:
    file = tmp_path / "letters.jsonl"

    with written(str(file), force=False) as write:
        write("é\n")
        meanwhile = file.exists()

    assert not meanwhile
    assert file.read_text(encoding="utf-8") == "é\n"
    assert file.stat().st_mode & 0o077 == 0
    assert list(tmp_path.iterdir()) == [file]


@pytest.mark.parametrize("force", [False, True])
def test_of_an_export_that_breaks_off_nothing_is_left(tmp_path: Path, force: bool) -> None:
    file = tmp_path / "letters.jsonl"
    if force:
        file.write_text("old")

    with suppress(KeyboardInterrupt), written(str(file), force=force) as write:
        write("half")
        raise KeyboardInterrupt

    assert [path.read_text() for path in tmp_path.iterdir()] == ["old"] * force


def test_a_file_that_is_there_is_written_over_only_by_force(tmp_path: Path) -> None:
    file = tmp_path / "letters.jsonl"
    file.write_text("old")

    with pytest.raises(CommandError, match="--force"), written(str(file), force=False):
        pass
    kept = file.read_text()
    with written(str(file), force=True) as write:
        write("new")

    assert (kept, file.read_text()) == ("old", "new")


def test_a_file_that_comes_meanwhile_is_spared(tmp_path: Path) -> None:
    file = tmp_path / "letters.jsonl"

    writing = written(str(file), force=False)
    writing.__enter__()("ours")
    file.write_text("theirs")
    with pytest.raises(CommandError, match="is there already"):
        writing.__exit__(None, None, None)

    assert [path.read_text() for path in tmp_path.iterdir()] == ["theirs"]


def test_no_force_replaces_what_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="is no file"), written(str(tmp_path), force=True):
        pass


def test_a_folder_that_is_not_there_costs_one_line(tmp_path: Path) -> None:
    with (
        pytest.raises(CommandError, match="cannot be written: No such file"),
        written(str(tmp_path / "a" / "b"), force=False),
    ):
        pass
