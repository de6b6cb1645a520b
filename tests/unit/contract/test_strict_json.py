"""The JSON that is accepted, and the JSON that is rejected."""

import pytest

from shared.contract.envelope import Event, InvalidEvent, decode
from shared.contract.rejection import Reason
from tests.support.events.makers import event, raw


def rejected(value: bytes | None) -> tuple[Reason, str]:
    read = decode(value)
    assert isinstance(read, InvalidEvent), f"accepted: {read}"
    return read.reason, read.detail


def accepted(value: bytes | None) -> Event:
    read = decode(value)
    assert isinstance(read, Event), f"rejected: {read}"
    return read


def with_json(text: bytes) -> bytes:
    """Return an event of an unknown type whose data is `{"value": <text>}`."""
    return raw(event("x", value="HERE")).replace(b'"HERE"', text)


@pytest.mark.parametrize("text", [b"NaN", b"Infinity", b"-Infinity", b"1e400", b"-1e400", b"01", b"1_000", b"'a'"])
def test_an_invalid_json_number_is_rejected(text: bytes) -> None:
    assert rejected(with_json(text))[0] is Reason.NOT_JSON


@pytest.mark.parametrize(
    "text", [rb'"\ud800"', rb'"\udc00\ud800"', rb'{"\ud800": 1}', b'"\xed\xa0\x80"', b'"\xff"', b'"\x00"']
)
def test_invalid_unicode_is_rejected(text: bytes) -> None:
    assert rejected(with_json(text))[0] is Reason.NOT_JSON


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        (None, "the value is empty"),
        (b"", "the value is empty"),
        (b"{", "not JSON: "),
        (b"\xef\xbb\xbf" + raw(event("x")), "not JSON: "),
        (raw(event("x")).decode().encode("utf-16"), "not JSON: "),
        (raw(event("x")) + b"{}", "not JSON: "),
    ],
)
def test_a_value_that_is_not_json_is_rejected(value: bytes | None, sentence: str) -> None:
    reason, detail = rejected(value)

    assert reason is Reason.NOT_JSON
    assert detail.startswith(sentence)


@pytest.mark.parametrize("value", [b"[]", b'"text"', b"7", b"null", b"[{}]"])
def test_json_that_is_not_an_object_is_rejected(value: bytes) -> None:
    assert rejected(value) == (Reason.NOT_AN_OBJECT, "the value is JSON, but not an object")


@pytest.mark.parametrize("number", [2**63 - 1, -(2**63), 0, 10**18])
def test_an_integer_of_64_bits_is_kept(number: int) -> None:
    assert accepted(with_json(b"%d" % number)).data == {"value": number}


@pytest.mark.parametrize("number", [2**63, -(2**63) - 1, 2**64, 10**300])
def test_a_larger_integer_is_rejected(number: int) -> None:
    reason, detail = rejected(with_json(b"%d" % number))

    assert reason is Reason.NUMBER_OUT_OF_RANGE
    assert detail.endswith("outside signed 64 bits")


@pytest.mark.parametrize("text", [b"9223372036854775808.5", b"1e19", b'"9223372036854775808"'])
def test_a_large_number_that_is_not_an_integer_is_accepted(text: bytes) -> None:
    accepted(with_json(text))


def test_a_nul_in_a_key_is_rejected_at_any_depth() -> None:
    assert rejected(with_json(rb'[{"a": {"b\u0000": 1}}]')) == (Reason.NUL_IN_KEY, "a key contains the character NUL")


@pytest.mark.parametrize("text", [rb'"a\u0000b"', rb'{"\\u0000": 1}'])
def test_a_nul_in_a_string_is_accepted(text: bytes) -> None:
    accepted(with_json(text))


@pytest.mark.parametrize(("opening", "closing"), [(b"[", b"]"), (b'{"a":', b"}")])
def test_nesting_of_64_is_accepted_and_of_65_rejected(opening: bytes, closing: bytes) -> None:
    around = 2  # the envelope and its data

    accepted(with_json(opening * (64 - around) + b"1" + closing * (64 - around)))

    for depth in (65, 66, 2_000, 50_000):
        inside = depth - around
        assert rejected(with_json(opening * inside + b"1" + closing * inside))[0] is Reason.TOO_DEEP


def test_of_a_repeated_key_the_last_counts() -> None:
    value = raw(event("call.created")).replace(b'"data": {}', b'"data": {"agent_id": 7, "agent_id": "a"}, "id": "last"')

    read = accepted(value)

    assert (read.data, read.ordering_key.id) == ({"agent_id": "a"}, "last")
