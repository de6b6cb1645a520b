"""Whether a call has ended, how, and how long it was."""

from typing import Any

import pytest

from tests.support.events.makers import CREATED, STARTED, Json, event, record

ACTIVITY = [
    "call.started",
    "call.transferred",
    "call.dtmf",
    "transcript.turn",
    "transcript.retracted",
    "tool.called",
    "tool.returned",
    "latency.sampled",
]


def ended(at: int = STARTED + 10_000, reason: str = "user_hangup", **data: Any) -> Json:
    return event("call.ended", at=at, disconnection_reason=reason, **data)


def failed(at: int = STARTED + 10_000, reason: str = "error_sip", **data: Any) -> Json:
    return event("call.failed", at=at, disconnection_reason=reason, **data)


def inferred_end(at: int) -> Json:
    return event("call.ended", at=at, source="/callfold/closer", disconnection_reason="inactivity", inferred=True)


@pytest.mark.parametrize("kind", ACTIVITY)
def test_activity_makes_a_call_ongoing(kind: str) -> None:
    assert record(event(kind), event("call.created"))["call_status"] == "ONGOING"


def test_a_turn_that_is_not_final_is_activity() -> None:
    assert record(event("transcript.turn", final=False))["call_status"] == "ONGOING"


@pytest.mark.parametrize("kind", ["call.created", "call.updated", "call.note", "usage.reported", "sentiment.guessed"])
def test_anything_else_leaves_it_registered(kind: str) -> None:
    assert record(event(kind))["call_status"] == "REGISTERED"


def test_a_scheduled_call_is_scheduled_until_it_is_created() -> None:
    scheduled, updated = event("call.scheduled"), event("call.updated")

    assert record(scheduled, updated)["call_status"] == "SCHEDULED"
    assert record(scheduled, event("call.created"))["call_status"] == "REGISTERED"


def test_an_ended_call_is_ended_and_a_failed_one_an_error() -> None:
    assert record(ended())["call_status"] == "ENDED"
    assert record(failed())["call_status"] == "ERROR"


def test_only_a_start_of_its_own_source_and_leg_reopens_a_call_that_really_ended() -> None:
    later = STARTED + 99_000
    others = [
        event("call.started", at=later, source="/another"),
        event("call.started", at=later, leg_id="A"),
        event("transcript.turn", at=later),
    ]

    assert record(ended(), *others[:1], others[2])["call_status"] == "ENDED"
    assert record(ended(), *others)["call_status"] == "ENDED"
    assert record(ended(), event("call.started", at=later))["call_status"] == "ONGOING"


def test_an_inferred_end_stands_while_nothing_later_lives() -> None:
    found = record(event("call.started"), inferred_end(STARTED), event("call.note", at=STARTED + 1))

    assert (found["call_status"], found["disconnection_reason"]) == ("ENDED", "inactivity")


@pytest.mark.parametrize("kind", ACTIVITY)
def test_later_activity_reopens_a_call_with_an_inferred_end(kind: str) -> None:
    found = record(event("call.started"), inferred_end(STARTED), event(kind, at=STARTED + 1))

    assert found["call_status"] == "ONGOING"
    assert (found["disconnection_reason"], found["end_timestamp"], found["call_duration"]) == (None, None, None)


def test_a_real_end_wins_over_an_inferred_one_even_a_later_one() -> None:
    found = record(event("call.started"), ended(at=STARTED + 5_000, reason="unknown"), inferred_end(STARTED + 9_000))

    assert (found["disconnection_reason"], found["call_duration"]) == ("unknown", 5)


@pytest.mark.parametrize("general", ["unknown", "Completed", "NORMAL_CLEARING", "inactivity"])
def test_a_specific_reason_wins_over_a_general_one(general: str) -> None:
    found = record(ended(at=STARTED, reason="voicemail"), failed(at=STARTED + 1, reason=general))

    assert (found["disconnection_reason"], found["call_status"]) == ("voicemail", "ENDED")


def test_of_equally_specific_ends_a_failure_wins() -> None:
    found = record(failed(at=STARTED), ended(at=STARTED + 1))

    assert (found["disconnection_reason"], found["call_status"]) == ("error_sip", "ERROR")


def test_of_equally_specific_failures_the_latest_wins() -> None:
    found = record(failed(at=STARTED + 1, reason="second"), failed(at=STARTED, reason="first"))

    assert found["disconnection_reason"] == "second"


def test_the_end_timestamp_is_the_explicit_one_of_the_final_end() -> None:
    found = record(ended(end_timestamp=STARTED + 7.5), ended(at=STARTED, end_timestamp=STARTED + 3))

    assert found["end_timestamp"] == STARTED + 7


def test_else_the_end_timestamp_is_the_latest_of_another_end() -> None:
    found = record(
        ended(at=STARTED + 9, reason="voicemail"),
        ended(at=STARTED + 5, reason="unknown", end_timestamp=STARTED + 2),
        ended(at=STARTED + 4, reason="unknown", end_timestamp=STARTED + 3),
    )

    assert found["end_timestamp"] == STARTED + 2


def test_else_the_end_timestamp_is_the_time_of_the_final_end() -> None:
    assert record(ended(at=STARTED + 9))["end_timestamp"] == STARTED + 9


def test_the_fields_of_an_inferred_end_that_does_not_count_are_ignored() -> None:
    inferred = ended(at=STARTED + 1, inferred=True, end_timestamp=STARTED + 99, duration_ms=99_000)

    found = record(event("call.started"), ended(at=STARTED + 5), inferred)

    assert (found["end_timestamp"], found["call_duration"]) == (STARTED + 5, 0.005)


def test_the_duration_is_that_of_the_final_end() -> None:
    found = record(event("call.started"), ended(duration_ms=1500), ended(at=STARTED, duration_ms=9000))

    assert found["call_duration"] == 1.5


def test_else_the_duration_is_the_latest_of_another_end_in_seconds() -> None:
    found = record(event("call.started"), ended(), ended(at=STARTED + 1, reason="unknown", duration_ms=0))

    assert found["call_duration"] == 0


def test_else_the_duration_runs_from_the_start_of_the_session() -> None:
    found = record(event("call.created", at=CREATED), event("call.started"), ended(at=STARTED + 10_250))

    assert found["call_duration"] == 10.25


def test_the_duration_is_never_negative() -> None:
    found = record(event("call.started", source="/another"), ended(at=STARTED - 1))

    assert found["call_duration"] == 0


def test_ringing_does_not_count_as_duration() -> None:
    found = record(event("call.created", at=CREATED, start_timestamp=CREATED), ended())

    assert found["call_duration"] == 0


def test_the_session_starts_at_the_earliest_explicit_start_or_time() -> None:
    found = record(
        event("call.started", at=STARTED + 5_000, start_timestamp=STARTED + 1_000),
        event("call.started", at=STARTED + 2_000),
        event("call.updated", start_timestamp=STARTED),
        ended(at=STARTED + 10_000),
    )

    assert found["call_duration"] == 9


def test_the_reason_is_kept_unchanged() -> None:
    assert record(ended(reason="User_Hangup"))["disconnection_reason"] == "User_Hangup"
