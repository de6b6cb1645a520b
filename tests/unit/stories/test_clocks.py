"""Wrong clocks, wrong times and wrong durations."""

from datetime import datetime

import pytest

from shared.contract.decode_event import Event, decode
from tests.support.events.makers import event, raw
from tests.support.events.stories import LONG_AFTERWARDS, Story, outcome_in_every_order, wanted
from tests.support.stories import clocks


@pytest.mark.parametrize("story", clocks.STORIES, ids=str)
def test_a_wrong_time_costs_no_more_than_itself(story: Story) -> None:
    assert outcome_in_every_order(story) == wanted(story)


@pytest.mark.parametrize(
    ("time", "utc"),
    [
        ("2026-03-29T01:59:59+01:00", "2026-03-29T00:59:59+00:00"),
        ("2026-03-29T03:00:00+02:00", "2026-03-29T01:00:00+00:00"),
        ("2026-10-25T02:30:00+02:00", "2026-10-25T00:30:00+00:00"),
        ("2026-10-25T02:30:00+01:00", "2026-10-25T01:30:00+00:00"),
        ("2016-12-31T23:59:60Z", "2017-01-01T00:00:00+00:00"),
        ("2026-03-10t10:00:00z", "2026-03-10T10:00:00+00:00"),
        ("2026-03-10T10:00:00.123456789Z", "2026-03-10T10:00:00.123+00:00"),
        ("2026-03-10 10:00:00Z", "2026-03-10T10:00:00+00:00"),
    ],
)
def test_a_time_with_a_zone_is_read(time: str, utc: str) -> None:
    read = decode(raw(event("call.note") | {"time": time}), arrival=LONG_AFTERWARDS)

    assert isinstance(read, Event)
    assert read.time == round(datetime.fromisoformat(utc).timestamp() * 1000)
    assert read.problems == ()


@pytest.mark.parametrize(
    "time",
    [
        "2026-03-10T10:00:00",
        "2026-03-10T10:00:00+0100",
        "2026-03-10T24:00:00Z",
        "1773136800",
        "Tue, 10 Mar 2026 10:00:00 +0000",
        "2026-03-10T10:00Z",
        "1999-12-31T23:59:59Z",
        "",
        1773136800,
    ],
)
def test_any_other_time_is_that_of_the_arrival(time: str | int) -> None:
    read = decode(raw(event("call.note") | {"time": time}), arrival=LONG_AFTERWARDS)

    assert isinstance(read, Event)
    assert read.time == LONG_AFTERWARDS
    assert [(problem.kind, problem.field) for problem in read.problems] == [("time_unreadable", None)]


@pytest.mark.parametrize(("ahead", "kinds"), [(3_600_000, []), (3_600_001, ["time_ahead"])])
def test_a_time_is_believed_up_to_an_hour_after_its_arrival(ahead: int, kinds: list[str]) -> None:
    arrival = LONG_AFTERWARDS

    read = decode(raw(event("call.note", at=arrival + ahead)), arrival=arrival)

    assert isinstance(read, Event)
    assert read.time == (arrival if kinds else arrival + ahead)
    assert [problem.kind for problem in read.problems] == kinds
