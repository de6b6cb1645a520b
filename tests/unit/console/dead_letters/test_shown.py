"""Bytes that anybody may have sent, as text."""

import pytest

from services.console.dead_letters.shown import MOST_CHARACTERS, MOST_HEX_BYTES, Shown, shown


def test_json_is_shown_indented_and_as_it_was_sent() -> None:
    assert shown(b'{"a":[1,{}],"b":"x, {y}"}') == Shown(
        25,
        text='{"a":[1,{}],"b":"x, {y}"}',
        json='{\n  "a": [\n    1,\n    {}\n  ],\n  "b": "x, {y}"\n}',
    )


@pytest.mark.parametrize("content", [b"{", b"1", b'"text"', b"[NaN]", b"hello"])
def test_what_is_no_object_or_list_is_text(content: bytes) -> None:
    assert shown(content) == Shown(len(content), text=content.decode())


def test_bytes_that_are_no_text_are_shown_in_hexadecimal() -> None:
    found = shown(b"\x00\xffAb" + bytes(13))

    assert found is not None
    assert (found.text, found.json) == (None, None)
    assert found.hexadecimal is not None
    first, second = found.hexadecimal.splitlines()
    assert first.split() == ["00000000", "00", "ff", "41", "62", *["00"] * 12, ".." + "Ab" + "." * 12]
    assert second.split() == ["00000010", "00", "."]


def test_what_does_not_print_is_escaped_and_lines_stay() -> None:
    found = shown("a\u202eb\x1b[2J\r\nc\td".encode())

    assert found is not None
    assert found.text == "a\\u202eb\\x1b[2J\\r\nc\td"


def test_a_lot_is_cut_off() -> None:
    text, binary = shown(b"x" * (MOST_CHARACTERS + 1)), shown(b"\xff" * (MOST_HEX_BYTES + 1))

    assert text is not None
    assert binary is not None
    assert (len(text.text or ""), text.is_cut, text.size) == (MOST_CHARACTERS, True, MOST_CHARACTERS + 1)
    assert (binary.is_cut, binary.size) == (True, MOST_HEX_BYTES + 1)


def test_large_json_is_not_indented() -> None:
    found = shown(b"[" + b"1," * 60_000 + b"1]")

    assert found is not None
    assert found.json is None


def test_no_bytes_are_nothing_and_an_empty_text_is_a_text() -> None:
    assert shown(None) is None
    assert shown(b"") == Shown(0, text="")
