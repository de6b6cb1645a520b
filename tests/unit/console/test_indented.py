"""JSON in lines, with everything in it as it was sent."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.console.indented import ALWAYS_ALLOWED, MOST_LEVELS, MOST_TIMES, indented

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


def nested(levels: int, inner: str = "") -> str:
    return "[" * levels + inner + "]" * levels


@given(VALUES.filter(lambda value: isinstance(value, dict | list)))
def test_indenting_changes_the_space_between_values_alone(value: object) -> None:
    text = json.dumps(value, separators=(",", ":"))

    assert indented(text) == json.dumps(value, indent=2)


def test_numbers_and_repeated_keys_stay_as_they_were_sent() -> None:
    found = indented('{"a":1.10,"a":123456789012345678901234567890}')

    assert found is not None
    assert found.split() == ["{", '"a":', "1.10,", '"a":', "123456789012345678901234567890", "}"]


@pytest.mark.parametrize("text", ["", "{", "1", '"text"', "[NaN]", "hello", "[1] [2]", '["\ud800"]'])
def test_what_is_no_object_or_list_is_not_indented(text: str) -> None:
    assert indented(text) is None


def test_json_that_is_nested_too_deep_is_not_indented() -> None:
    assert indented(nested(MOST_LEVELS)) == json.dumps(json.loads(nested(MOST_LEVELS)), indent=2)
    assert indented(nested(MOST_LEVELS + 1)) is None
    assert indented(nested(1_000, "1," * 30_000 + "1")) is None


def test_json_that_would_become_many_times_as_long_is_not_indented() -> None:
    short, long = (nested(20, "1," * count + "1") for count in (10, ALWAYS_ALLOWED))

    assert indented(short) == json.dumps(json.loads(short), indent=2)
    assert len(json.dumps(json.loads(long), indent=2)) > MOST_TIMES * len(long)
    assert indented(long) is None
