"""Numbers of the lag as people read them."""

import math

import pytest

from services.ops.lag.words import duration, rate, seconds, sparkline


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "-"),
        (math.inf, "never"),
        (0.0, "0s"),
        (59.4, "59s"),
        (59.6, "1m00s"),
        (200, "3m20s"),
        (7_500, "2h05m"),
        (273_600, "3d04h"),
    ],
)
def test_a_duration_has_two_units_at_most(value: float | None, text: str) -> None:
    assert duration(value) == text


def test_only_a_small_rate_has_a_fraction() -> None:
    assert [rate(value) for value in (None, 0.0, 0.04, 2.5, 499.6)] == ["-", "0", "0.0", "2.5", "500"]


def test_seconds_have_one_digit_and_unknown_ones_none() -> None:
    assert [seconds(value) for value in (None, 0.0, 61.25)] == ["-", "0.0", "61.2"]


def test_a_sparkline_shows_each_value_against_the_greatest_and_a_gap_for_what_is_unknown() -> None:
    assert sparkline([0, 7, None, 14]) == "▁▅ █"
    assert sparkline([0, 0]) == "▁▁"
    assert sparkline([]) == ""
    assert sparkline([0, 14], plain=True).isascii()
