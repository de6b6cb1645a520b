"""Which dead letters are meant."""

import pytest

from services.ops.dead_letters.selection import Selection
from tests.support.events.dead_letters import Record
from tests.support.events.makers import STARTED

MINUTE_MS = 60_000


@pytest.mark.parametrize(
    ("selection", "included"),
    [
        (Selection(), True),
        (Selection(reasons=frozenset({"missing", "not_json"})), True),
        (Selection(reasons=frozenset({"not_json"})), False),
        (Selection(calls=frozenset({"call-1"}), sources=frozenset({"/pbx"})), True),
        (Selection(calls=frozenset({"call-1"}), sources=frozenset({"/other"})), False),
        (Selection(calls=frozenset({"call-2"})), False),
    ],
)
def test_every_limit_is_kept_to_and_of_several_values_one_is_enough(selection: Selection, included: bool) -> None:
    assert selection.includes("missing", "call-1", "/pbx") is included


def test_what_does_not_say_is_not_meant_where_that_is_asked() -> None:
    assert not Selection(sources=frozenset({"/pbx"})).includes("missing", "call-1", None)


@pytest.mark.parametrize(("timestamp", "included"), [(9, False), (10, True), (19, True), (20, False)])
def test_the_span_of_time_holds_its_beginning_and_not_its_end(timestamp: int, included: bool) -> None:
    assert Selection(since=10, until=20).in_time(timestamp) is included


def test_reading_ends_behind_the_span_once_no_brokers_clock_can_be_so_wrong() -> None:
    selection = Selection(until=STARTED - MINUTE_MS)

    assert selection.ends_before(Record(timestamp=STARTED))
    assert not selection.ends_before(Record(timestamp=STARTED - 1))


def test_producers_clocks_end_no_reading() -> None:
    assert not Selection(until=1).ends_before(Record(timestamp_type=0))
    assert not Selection().ends_before(Record())
