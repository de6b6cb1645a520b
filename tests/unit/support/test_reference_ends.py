"""The reference implementation ends calls as the examples of docs/record.md do by hand."""

import pytest

from tests.support.reference.examples import (
    AGENT,
    BEGIN,
    details,
    ended,
    event,
    fold,
    problems,
    standings,
    started,
    turn,
)


def test_a_phone_that_rang_next_to_the_answered_one_does_not_end_the_call() -> None:
    call = [
        started(18, "/pbx/7/leg/b2"),
        turn(19),
        ended(20, "no_answer", "/pbx/7/leg/b1", duration_ms=0),
        turn(200),
        ended(318, "normal_clearing", "/pbx/7/leg/b2", duration_ms=300_000),
    ]

    record = fold(*call)

    assert (record["call_status"], record["disconnection_reason"]) == ("ENDED", "normal_clearing")
    assert (record["end_timestamp"], record["call_duration"]) == (BEGIN + 318_000, 300)
    assert record["call_cost"]["combined_cost"] == pytest.approx(0.1)
    assert standings(*call) == ["overruled", "final"]
    assert problems(*call) == [("end_overruled", "call.ended:20")]


def test_the_call_goes_on_when_leg_a_leaves_and_b_stays() -> None:
    so_far = [
        started(0, leg_id="a"),
        started(20, leg_id="b"),
        ended(30, "user_hangup", leg_id="a"),
        turn(100),
    ]

    assert fold(*so_far)["call_status"] == "ONGOING"
    assert standings(*so_far) == ["leg"]

    call = [*so_far, ended(310, "completed", leg_id="b")]

    assert fold(*call)["disconnection_reason"] == "completed"
    assert fold(*call)["call_duration"] == 310
    assert standings(*call) == ["overruled", "final"]
    assert [(leg["leg_id"], leg["duration"]) for leg in details(*call)["legs"]] == [("a", 30), ("b", 290)]


def test_the_gap_of_a_drop_is_not_talk() -> None:
    so_far = [started(0), ended(1080, "completed"), started(1200), turn(1300)]

    live = fold(*so_far)

    assert (live["call_status"], live["call_duration"]) == ("ONGOING", None)
    assert live["call_cost"]["total_duration_seconds"] == 1300 - 120
    assert problems(*so_far) == [("end_undone", "call.ended:1080")]

    call = [*so_far, ended(1500, "user_hangup")]

    assert fold(*call)["call_duration"] == 1500 - 120
    assert standings(*call) == ["undone", "final"]


def test_durations_of_a_drop_and_of_the_end_add_up() -> None:
    call = [
        started(0),
        ended(1080, "completed", duration_ms=1_079_000),
        started(1200),
        ended(1500, "user_hangup", duration_ms=299_000),
    ]

    assert fold(*call)["call_duration"] == 1079 + 299
    assert problems(*call) == [("end_undone", "call.ended:1080")]


def test_a_duration_that_already_covers_the_whole_is_not_added_to() -> None:
    call = [
        started(0),
        ended(1080, "completed", duration_ms=1_080_000),
        started(1200),
        ended(1500, "user_hangup", duration_ms=1_500_000),
    ]

    assert fold(*call)["call_duration"] == 1500 - 120
    assert problems(*call) == [("end_undone", "call.ended:1080"), ("duration_disagrees", "call.ended:1500")]


def test_a_drop_of_a_leg_is_a_gap_only_while_it_was_alone() -> None:
    alone = [
        started(0, leg_id="a"),
        ended(10, "drop", leg_id="a"),
        started(30, leg_id="a"),
        event("call.dtmf", 50, digits="1"),
    ]
    rejoined = [*alone, ended(60, "user_hangup", leg_id="a")]
    with_b = [started(5, leg_id="b"), *rejoined, ended(60, "user_hangup", "/pbx/8", leg_id="b")]

    assert fold(*rejoined)["call_duration"] == 60 - 20
    assert fold(*with_b)["call_duration"] == 60


def test_the_drop_that_two_sources_saw_is_undone_by_the_start_of_one() -> None:
    call = [
        started(0),
        ended(100, "drop"),
        ended(104, "agent_lost", AGENT),
        ended(106, "unknown", "/carrier"),
        started(130),
        ended(200, "user_hangup"),
    ]

    # 104 s is within 5 s of the end that the start undoes; 106 s is not, and gives way to the start's talk.
    assert standings(*call) == ["undone", "undone", "overruled", "final"]
    assert fold(*call)["call_duration"] == 200 - 30


def test_an_end_after_which_people_talked_gives_way() -> None:
    call = [
        started(0),
        event("call.failed", 60, "/pbx/7/leg/c", disconnection_reason="sip_routing_error"),
        turn(200),
        ended(360, "completed"),
    ]

    record = fold(*call)

    assert (record["call_status"], record["call_duration"]) == ("ENDED", 360)
    assert [entry["event"] for entry in record["events"]] == [
        "Call started - INBOUND",
        "Call failed - sip_routing_error",
        "Call ended - completed",
    ]


@pytest.mark.parametrize(("last", "standing"), [(75, "counts"), (115, "overruled")])
def test_turns_made_afterwards_overrule_only_when_they_are_far_apart(last: int, standing: str) -> None:
    call = [started(0), ended(60, "completed", AGENT), turn(70), turn(last), ended(120, "user_hangup", AGENT)]

    # Turns without times of their own: 75 s is 5 s from 70 s, 115 s is 45 s from it.
    assert standings(*call) == [standing, "final"]


def test_of_ends_that_are_left_the_specific_reason_comes_before_the_later_one() -> None:
    call = [started(0), ended(60, "agent_hangup", AGENT), ended(61, "Normal Call-Clearing", "/carrier")]

    record = fold(*call)

    assert (record["disconnection_reason"], record["end_timestamp"]) == ("agent_hangup", BEGIN + 60_000)
    assert standings(*call) == ["final", "counts"]


def test_an_inferred_end_ends_a_call_until_something_happens_later() -> None:
    inferred = ended(100, "inactivity", "/callfold/closer", inferred=True)
    call = [started(0), turn(100), inferred]

    assert (fold(*call)["call_status"], fold(*call)["call_duration"]) == ("ENDED", 100)
    assert fold(*call)["events"][-1]["data"] == {"inferred": True}
    assert fold(*call, turn(101))["call_status"] == "ONGOING"
    assert standings(*call, turn(101)) == ["inferred"]
    assert standings(*call, ended(103, "user_hangup")) == ["inferred", "final"]


def test_an_inferred_end_lets_ends_of_connected_legs_count() -> None:
    call = [
        started(0, leg_id="a"),
        started(5, leg_id="b"),
        ended(100, "user_hangup", leg_id="a"),
        ended(102, "inactivity", "/callfold/closer", inferred=True),
    ]

    record = fold(*call)

    assert (record["disconnection_reason"], record["end_timestamp"]) == ("user_hangup", BEGIN + 100_000)
    assert standings(*call) == ["final", "counts"]


def test_an_end_before_the_start_counts_as_not_stated() -> None:
    call = [started(0), turn(30), ended(54, "completed", end_timestamp=BEGIN - 14_400_000)]

    assert (fold(*call)["end_timestamp"], fold(*call)["call_duration"]) == (BEGIN + 54_000, 54)
    assert problems(*call) == [("end_before_start", "call.ended:54")]


def test_talk_long_after_the_end_is_a_problem_and_changes_nothing() -> None:
    call = [started(0), ended(30, "user_hangup"), turn(90), turn(91)]

    assert fold(*call)["call_duration"] == 30
    assert problems(*call) == [("talk_after_end", "transcript.turn:91")]
