"""What makes folds of many ends quick returns what the plain rule returns."""

from hypothesis import given
from hypothesis import strategies as st

from shared.fold.lifecycle.nearby import EarliestNearby

_MOMENT = st.integers(0, 12)
_SOURCE = st.sampled_from("abc")
_ENTRIES = st.lists(st.tuples(_MOMENT, st.integers(0, 9), _SOURCE), max_size=20)


@given(_ENTRIES, _MOMENT, st.integers(0, 6), _SOURCE)
def test_the_earliest_time_in_a_range_of_moments_is_found(
    entries: list[tuple[int, int, str]], first: int, width: int, source: str
) -> None:
    last = first + width
    expected = min((time for moment, time, of in entries if first <= moment <= last and of != source), default=None)

    assert EarliestNearby(entries).earliest(first, last, but_for=source) == expected
