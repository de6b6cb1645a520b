"""The JSON that is read, and the JSON that is rejected."""

import time
from typing import Any

import pytest

from shared.contract.decode_event import decode
from shared.contract.problems import ProblemKind
from shared.contract.rejection import Reason
from tests.support.events.makers import accepted, event, raw, rejected


def with_json(text: bytes) -> bytes:
    """Return an event of an unknown type whose data is `{"value": <text>}`."""
    return raw(event("x", value="HERE")).replace(b'"HERE"', text)


def found(text: bytes) -> tuple[Any, list[tuple[ProblemKind, str | None]]]:
    read = accepted(with_json(text))
    return read.data, [(problem.kind, problem.field) for problem in read.problems]


@pytest.mark.parametrize("text", [b"NaN", b"Infinity", b"-Infinity", b"1e400", b"-1e400", b"01", b"1_000", b"'a'"])
def test_an_invalid_json_number_is_rejected(text: bytes) -> None:
    assert rejected(with_json(text))[0] is Reason.NOT_JSON


@pytest.mark.parametrize(
    "text", [b'"\xff"', b'"\x00"', b'"\xed\xa0"', b'"\\\xed\xa0\x80"', b'"\\ud8"', b"\xed\xa0\x80"]
)
def test_invalid_text_is_rejected(text: bytes) -> None:
    assert rejected(with_json(text))[0] is Reason.NOT_JSON


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (rb'"\ud800"', "\ufffd"),
        (rb'"a\ud83d"', "a\ufffd"),
        (rb'"\udc00\ud800"', "\ufffd\ufffd"),
        (rb'"\ud800\ud83d\ude00"', "\ufffd😀"),
        (rb'"\uD83D\uDE00 \udFFF"', "😀 \ufffd"),
        (b'"\xed\xa0\x80"', "\ufffd"),
        (b'"\xed\xa0\xbd\xed\xb8\x80"', "😀"),
        (rb'"\\ud800 \ud800"', r"\ud800 �"),
    ],
)
def test_a_lone_surrogate_is_replaced(text: bytes, value: str) -> None:
    data, problems = found(text)

    assert data == {"value": value}
    assert problems == ([] if "\ufffd" not in value else [("surrogate_replaced", "value")])


def test_an_escaped_backslash_begins_no_surrogate() -> None:
    assert found(rb'"\\ud800"') == ({"value": r"\ud800"}, [])


def test_a_lone_surrogate_is_replaced_in_keys_too_and_of_a_key_that_then_stands_twice_the_last_counts() -> None:
    data, problems = found(rb'{"\ud800": 1, "\udbff": 2, "\udfff": 3}')

    assert data == {"value": {"\ufffd": 3}}
    assert problems == [("surrogate_replaced", "value")]


def test_a_surrogate_in_an_attribute_is_a_problem_of_the_envelope() -> None:
    read = accepted(raw(event("call.created", id="ID")).replace(b'"ID"', rb'"\ud800"'))

    assert read.ordering_key.id == "\ufffd"
    assert [(problem.kind, problem.field) for problem in read.problems] == [("surrogate_replaced", None)]


def test_a_surrogate_in_what_is_ignored_is_a_problem_too() -> None:
    read = accepted(raw(event("call.created", ignored="X") | {"ignored": "X"}).replace(b'"X"', rb'"\ud800"'))

    assert [(problem.kind, problem.field) for problem in read.problems] == [
        ("surrogate_replaced", None),
        ("surrogate_replaced", "ignored"),
    ]


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        (None, "the value is empty"),
        (b"", "the value is empty"),
        (b"{", "the value is not JSON: "),
        (raw(event("x")).decode().encode("utf-16"), "the value is not JSON: "),
        (raw(event("x")) + b"{}", "the value is not JSON: "),
    ],
)
def test_a_value_that_is_not_json_is_rejected(value: bytes | None, sentence: str) -> None:
    reason, detail = rejected(value)

    assert reason is Reason.NOT_JSON
    assert detail.startswith(sentence)


def test_a_byte_order_mark_is_skipped_and_kept() -> None:
    marked = b"\xef\xbb\xbf" + raw(event("x"))

    read = accepted(marked)

    assert (read.raw, read.problems) == (marked, ())


@pytest.mark.parametrize("value", [b"[]", b'"text"', b"7", b"null", b"[{}]"])
def test_json_that_is_not_an_object_is_rejected(value: bytes) -> None:
    reason, detail = rejected(value)

    assert reason is Reason.NOT_AN_OBJECT
    assert detail.startswith("the value is JSON, but not an object")


@pytest.mark.parametrize("number", [2**63 - 1, -(2**63), 0, 10**18])
def test_an_integer_of_64_bits_is_kept(number: int) -> None:
    assert found(b"%d" % number) == ({"value": number}, [])


@pytest.mark.parametrize("number", [2**63, -(2**63) - 1, 2**64, 10**300, 10**400])
def test_a_larger_integer_is_the_text_of_its_digits(number: int) -> None:
    assert found(b"[%d]" % number) == ({"value": [str(number)]}, [("number_as_text", "value")])


@pytest.mark.parametrize("text", [b"9223372036854775808.5", b"1e19", b'"9223372036854775808"'])
def test_a_large_number_that_is_not_an_integer_is_accepted(text: bytes) -> None:
    assert found(text)[1] == []


def test_a_key_with_nul_is_left_out_at_any_depth() -> None:
    assert found(rb'[{"a": {"b\u0000": 1, "c": 2}}]') == ({"value": [{"a": {"c": 2}}]}, [("key_left_out", "value")])


@pytest.mark.parametrize("text", [rb'"a\u0000b"', rb'{"\\u0000": 1}'])
def test_a_nul_in_a_string_is_accepted(text: bytes) -> None:
    assert found(text)[1] == []


@pytest.mark.parametrize(("opening", "closing"), [(b"[", b"]"), (b'{"a":', b"}")])
def test_nesting_of_64_is_accepted_and_of_65_rejected(opening: bytes, closing: bytes) -> None:
    around = 2  # the envelope and its data

    accepted(with_json(opening * (64 - around) + b"1" + closing * (64 - around)))

    for depth in (65, 66, 2_000, 50_000):
        inside = depth - around
        assert rejected(with_json(opening * inside + b"1" + closing * inside))[0] is Reason.TOO_DEEP


def test_of_a_repeated_key_the_last_counts() -> None:
    value = raw(event("call.created")).replace(
        b'"data": {}', b'"data": {"agent_id": [], "agent_id": "a"}, "id": "last"'
    )

    read = accepted(value)

    assert (read.data, read.ordering_key.id) == ({"agent_id": "a"}, "last")


_MEBIBYTE = 1_000_000


@pytest.mark.parametrize(
    "text",
    [
        b"9" * _MEBIBYTE,
        b"9" * (_MEBIBYTE // 2) + b"," + b"[" * (_MEBIBYTE // 2),
        b"[" + b"9" * 20 + (b"," + b"9" * 20) * (_MEBIBYTE // 21) + b"]",
        b'"' + rb"\ud800" * (_MEBIBYTE // 6) + b'"',
        b'"' + rb"\\" * (_MEBIBYTE // 2) + rb'\ud800"',
        b'"' + rb"\"" * (_MEBIBYTE // 2),
        b"[" * _MEBIBYTE + rb'"\ud800"',
        rb'{"\ud800":' * (_MEBIBYTE // 10),
        b'{"\\u0000":1}' + b",{}" * (_MEBIBYTE // 3),
    ],
    ids=[
        "digits",
        "digits, then deep",
        "many",
        "surrogates",
        "backslashes",
        "quotes",
        "deep",
        "deep objects",
        "garbage",
    ],
)
def test_hostile_json_is_read_or_rejected_in_linear_time(text: bytes) -> None:
    value = with_json(text)
    started = time.process_time()

    for kind in (b"x", b"call.note", b"call.dtmf"):
        decode(value.replace(b'"x"', b'"%s"' % kind, 1), arrival=0)

    assert time.process_time() - started < 10
