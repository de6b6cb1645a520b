"""Which dead letters are selected."""

from dataclasses import replace

import pytest

from shared.dead_letters.dead_letter import DeadLetter
from shared.dead_letters.selection import Selection
from tests.support.events.dead_letters import Record
from tests.support.events.makers import STARTED

MINUTE_MS = 60_000
LETTER = DeadLetter(
    record=None,
    number="17",
    time="2026-11-22T10:00:00.000Z",
    reason="missing",
    detail="`data.digits` is missing",
    organization="org-789",
    call="call-1",
    source="/pbx",
    topic="calls.telephony",
    partition=0,
    offset=1,
    last_offset=None,
    replays=0,
    replayed_from=None,
)


@pytest.mark.parametrize(
    ("selection", "included"),
    [
        (Selection(), True),
        (Selection(reasons=frozenset({"missing", "not_json"})), True),
        (Selection(reasons=frozenset({"not_json"})), False),
        (Selection(calls=frozenset({"call-1"}), sources=frozenset({"/pbx"})), True),
        (Selection(calls=frozenset({"call-1"}), sources=frozenset({"/other"})), False),
        (Selection(calls=frozenset({"call-2"})), False),
        (Selection(organizations=frozenset({"org-1", "org-789"})), True),
        (Selection(organizations=frozenset({"org-1"})), False),
    ],
)
def test_every_limit_holds_and_one_of_several_values_is_enough(selection: Selection, included: bool) -> None:
    assert selection.includes(LETTER) is included


def test_a_dead_letter_without_a_source_is_in_no_selection_of_sources() -> None:
    assert not Selection(sources=frozenset({"/pbx"})).includes(replace(LETTER, source=None))


@pytest.mark.parametrize(("timestamp", "included"), [(9, False), (10, True), (19, True), (20, False)])
def test_the_time_limits_include_the_beginning_and_exclude_the_end(timestamp: int, included: bool) -> None:
    assert Selection(since=10, until=20).in_time(timestamp) is included


def test_reading_ends_after_the_time_limit_plus_the_skew_of_clocks() -> None:
    selection = Selection(until=STARTED - MINUTE_MS)

    assert selection.ends_before(Record(timestamp=STARTED))
    assert not selection.ends_before(Record(timestamp=STARTED - 1))


def test_timestamps_of_producers_do_not_end_reading() -> None:
    assert not Selection(until=1).ends_before(Record(timestamp_type=0))
    assert not Selection().ends_before(Record())
