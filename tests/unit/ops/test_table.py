"""`dead-letters list` as a table."""

import sys
from dataclasses import replace

import pytest

from services.ops.actions.dead_letters import fitted
from services.ops.console import print_table
from shared.dead_letters.dead_letter import dead_letter_of
from tests.support.events.dead_letters import Record

COLUMNS = ("number", "time", "reason", "call", "detail")
LETTER = dead_letter_of(Record(), only_partition=True)
LONG = replace(
    LETTER,
    number="12:123456789",
    reason="not_cloudevents",
    call="0f8fad5b-d9cb-469f-a165-70867728950e",
    detail="`specversion` must be `1.0`, got " + "日本" * 100,
)


def printed(capsys: pytest.CaptureFixture[str], *letters: object) -> list[str]:
    print_table(COLUMNS, fitted(list(letters)), ("number",))  # type: ignore[arg-type]
    return capsys.readouterr().out.splitlines()


@pytest.mark.parametrize("columns", [80, 120])
def test_each_dead_letter_is_one_line_that_fits(
    columns: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))

    lines = printed(capsys, LETTER, LONG)

    assert len(lines) == 3
    assert max(len(line) + sum(sign in "日本" for sign in line) for line in lines) <= columns


def test_on_a_terminal_each_dead_letter_is_one_line_too(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("TERM", "dumb")
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)

    lines = [line for line in printed(capsys, LETTER, LONG) if line.strip()]

    assert [line.split()[0] for line in lines] == ["number", "─" * 78, "17", "12:123456789"]


def test_what_is_short_is_shown_as_it_is(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("COLUMNS", "80")

    head, line = printed(capsys, LETTER)

    assert head.split() == [*COLUMNS]
    assert line.split(maxsplit=4) == ["17", "2023-12-20T18:40:30Z", "missing", "call-456", "`data.digits` is missing"]


def test_what_is_cut_off_ends_with_a_mark(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("COLUMNS", "80")

    _, line = printed(capsys, LONG)

    assert line.count("…") == 2
    assert line.startswith("12:123456789")


def test_a_terminal_gets_no_control_codes(capsys: pytest.CaptureFixture[str]) -> None:
    lines = printed(capsys, replace(LETTER, call="\x1b[2J", detail=None, reason=None))

    assert r"\x1b[2J" in lines[1]
    assert lines[1].isprintable()


def test_an_empty_list_has_its_heading(capsys: pytest.CaptureFixture[str]) -> None:
    assert [line.split() for line in printed(capsys)] == [[*COLUMNS]]
