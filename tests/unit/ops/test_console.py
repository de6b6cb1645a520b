"""Output: no data reaches the terminal as a control code."""

import json

import pytest

from services.ops.console import as_json, print_error, print_json, print_result, print_table, progress, shown


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        ("org-789 é 日本", "org-789 é 日本"),
        ("\x1b[2J\x07\r\n\x00\x7f", r"\x1b[2J\x07\r\n\x00\x7f"),
        ("\x9b31m\u202egpj.exe\u200b", r"\x9b31m\u202egpj.exe\u200b"),
        ("\ud800", r"\ud800"),
        ("[red]not markup[/red]", "[red]not markup[/red]"),
    ],
)
def test_characters_that_do_not_print_are_escaped(text: str, safe: str) -> None:
    assert shown(text) == safe


def test_json_keeps_its_value_without_characters_that_a_terminal_interprets() -> None:
    value = {"a\x9b": ["\x1b[2J", "\u202e", "é", 1.5, None]}

    text = as_json(value)

    assert json.loads(text) == value
    assert text.isprintable()
    assert "é" in text


def test_a_table_in_a_pipe_has_one_line_for_each_row(capsys: pytest.CaptureFixture[str]) -> None:
    print_table(("name", "count"), [["x" * 500, 1], ["[b]\x1b", None]], ["count"])

    first, second, third = capsys.readouterr().out.splitlines()
    assert first.split() == ["name", "count"]
    assert second.split() == ["x" * 500, "1"]
    assert third.split() == ["[b]\\x1b", "-"]


def test_results_go_to_standard_output_and_errors_to_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    print_result("a\x1b")
    print_error("b\n" + "c" * 300)
    print_json({"d": "é"})

    out, err = capsys.readouterr()
    assert out == 'a\\x1b\n{\n  "d": "é"\n}\n'
    assert err == "b\\n" + "c" * 300 + "\n"


def test_progress_is_shown_on_a_terminal_only(capsys: pytest.CaptureFixture[str]) -> None:
    with progress("reading", 10) as advance:
        advance(5, "5 events")

    assert capsys.readouterr() == ("", "")
