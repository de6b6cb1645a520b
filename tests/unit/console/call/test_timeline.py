"""The timeline of a call: its lanes, its silences, its axis, and what a long call makes of it."""

import re
from typing import Any

from services.console.call.page import CallPage
from services.console.call.timeline.picture import MOST_ITEMS, PARTS, Shape
from tests.support.console.call_page import page, rendered
from tests.support.events.makers import STARTED, Json, event

PICTURE_BYTES = 200_000


def said(role: str, begins: int, ends: int | None = None, content: str = "Yes.", **data: Any) -> Json:
    """Return a turn between two seconds of the call."""
    stated: dict[str, Any] = {} if ends is None else {"end_timestamp": STARTED + ends * 1_000}
    at = STARTED + begins * 1_000
    return event("transcript.turn", at=at, role=role, content=content, timestamp=at, **stated, **data)


def shapes(shown: CallPage, kind: str) -> list[Shape]:
    return [shape for shape in shown.timeline.shapes if shape.kind.value == kind]


def test_each_speaker_has_a_lane_and_other_lanes_are_there_when_something_is_in_them() -> None:
    shown = page(
        event("call.started", leg_id="caller"),
        said("user", 1, 2),
        said("agent", 3, 4),
        said("supervisor", 5, 6),
        event("tool.called", at=STARTED + 3_000),
        event("call.transferred", at=STARTED + 4_000),
        event("call.dtmf", at=STARTED + 5_000),
        event("call.ended", at=STARTED + 9_000, leg_id="caller"),
    )

    lanes = ["User", "Assistant", "Others", "Tools", "Leg caller", "Transfers", "DTMF", "Events", "Ends"]
    assert shown.timeline.lanes == lanes


def test_a_shape_is_as_wide_as_its_share_of_the_time() -> None:
    shown = page(event("call.started"), said("user", 0, 25), said("agent", 50, 100))

    user, assistant = shapes(shown, "user")[0], shapes(shown, "assistant")[0]
    assert (user.x, user.width) == (0.0, 250.0)
    assert (assistant.x, assistant.width) == (500.0, 500.0)


def test_an_end_that_nothing_states_is_estimated_by_the_length_of_the_text_and_not_after_the_next_turn() -> None:
    long = "word " * 300
    shown = page(
        event("call.started"), said("user", 0, content="x" * 150), said("agent", 50, content=long), said("user", 60)
    )

    first, second = shapes(shown, "user")[0], shapes(shown, "assistant")[0]
    assert first.estimated
    assert second.estimated
    assert round(first.width / second.width, 1) == 1.0  # ten seconds each


def test_a_silence_of_three_seconds_is_a_gap_and_a_shorter_one_is_none() -> None:
    shown = page(event("call.started"), said("user", 0, 2), said("agent", 4, 6), said("user", 9, 10))

    assert [gap.title for gap in shown.timeline.gaps] == ["3\u00a0s of silence from 00:06"]


def test_two_who_talk_at_once_leave_no_gap_before_the_longer_one_ends() -> None:
    shown = page(event("call.started"), said("user", 0, 20), said("agent", 1, 2), said("user", 22, 23))

    assert list(shown.timeline.gaps) == []


def test_what_comes_hours_later_does_not_stretch_the_axis() -> None:
    shown = page(
        event("call.started"),
        said("user", 0, 60),
        event("recording.available", at=STARTED + 7_200_000, recording_id="1"),
    )

    recording = shapes(shown, "event")[-1]
    assert shapes(shown, "user")[0].width == 1_000.0
    assert recording.title == "2:00:00 recording.available, outside of the axis"


def test_ticks_are_minutes_and_seconds_from_the_start_of_the_session() -> None:
    shown = page(event("call.ringing", at=STARTED - 20_000), event("call.started"), said("user", 0, 70))

    assert [tick.text for tick in shown.timeline.ticks] == ["\u221200:15", "00:00", "00:15", "00:30", "00:45", "01:00"]


def test_a_turn_without_words_has_those_of_its_text() -> None:
    shown = page(event("call.started"), said("user", 0, 10, content="four words are here"))

    assert shapes(shown, "user")[0].wave.count("M") == 4


def test_a_long_call_has_a_shape_for_each_part_of_its_time_and_a_small_picture() -> None:
    turns = [said(("user", "agent")[n % 2], n * 3, n * 3 + 2, turn_id=f"t{n}") for n in range(MOST_ITEMS + 600)]
    shown = page(event("call.started"), *turns)

    picture = re.search(r"<svg height=.*?</svg>", rendered(shown), re.DOTALL)
    assert shown.timeline.binned
    assert len(shapes(shown, "user")) == PARTS
    assert picture is not None
    assert len(picture[0]) < PICTURE_BYTES


def test_as_many_items_as_are_drawn_one_by_one_make_a_small_picture() -> None:
    turns = [said("user", n, n + 1, content="w " * 3 + "x" * 300, turn_id=f"t{n}") for n in range(MOST_ITEMS - 1)]
    shown = page(event("call.started"), *turns)

    picture = re.search(r"<svg height=.*?</svg>", rendered(shown), re.DOTALL)
    assert not shown.timeline.binned
    assert picture is not None
    assert len(picture[0]) < 1.5 * PICTURE_BYTES


def test_a_line_of_a_later_page_is_reached_from_the_timeline() -> None:
    turns = [said("user", n * 3, n * 3 + 2, turn_id=f"t{n}") for n in range(501)]
    shown = page(event("call.started"), *turns)

    (line, span), *_ = shown.lines(2)
    assert [shape.href for shape in shown.timeline.shapes if shape.id == span] == [f"?page=2#{line.anchor}"]


def test_a_call_of_one_event_has_a_timeline() -> None:
    shown = page(event("call.created"))

    assert [shape.title for shape in shown.timeline.shapes] == ["00:00 call.created"]


def test_the_end_is_on_the_axis_however_long_nobody_has_talked() -> None:
    shown = page(event("call.started"), said("user", 0, 5), event("call.ended", at=STARTED + 300_000))

    assert shown.timeline.ends_at == 1_000.0
    assert "outside" not in shapes(shown, "end")[0].title
