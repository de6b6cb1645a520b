"""How a call ended, and whether it has."""

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


def closed(at: int) -> Json:
    return event("call.ended", at=at, source="/callfold/closer", disconnection_reason="inactivity", inferred=True)


@pytest.mark.parametrize("kind", ACTIVITY)
def test_a_sign_of_life_makes_a_call_ongoing(kind: str) -> None:
    assert record(event(kind), event("call.created"))["call_status"] == "ONGOING"


def test_a_turn_that_is_not_final_is_a_sign_of_life() -> None:
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


def test_nothing_reopens_a_call_that_really_ended() -> None:
    told = record(ended(), event("call.started", at=STARTED + 99_000))

    assert told["call_status"] == "ENDED"


def test_an_inferred_end_stands_while_nothing_later_lives() -> None:
    told = record(event("call.started"), closed(STARTED), event("call.note", at=STARTED + 1))

    assert (told["call_status"], told["disconnection_reason"]) == ("ENDED", "inactivity")


@pytest.mark.parametrize("kind", ACTIVITY)
def test_a_later_sign_of_life_reopens_a_call_whose_end_was_inferred(kind: str) -> None:
    told = record(event("call.started"), closed(STARTED), event(kind, at=STARTED + 1))

    assert told["call_status"] == "ONGOING"
    assert (told["disconnection_reason"], told["end_timestamp"], told["call_duration"]) == (None, None, None)


def test_a_real_end_replaces_an_inferred_one_even_a_later_one() -> None:
    told = record(event("call.started"), ended(at=STARTED + 5_000, reason="unknown"), closed(STARTED + 9_000))

    assert (told["disconnection_reason"], told["call_duration"]) == ("unknown", 5)


@pytest.mark.parametrize("general", ["unknown", "Completed", "NORMAL_CLEARING", "inactivity"])
def test_a_specific_reason_decides_before_a_general_one(general: str) -> None:
    told = record(ended(at=STARTED, reason="voicemail"), failed(at=STARTED + 1, reason=general))

    assert (told["disconnection_reason"], told["call_status"]) == ("voicemail", "ENDED")


def test_of_equally_specific_ends_a_failure_decides() -> None:
    told = record(failed(at=STARTED), ended(at=STARTED + 1))

    assert (told["disconnection_reason"], told["call_status"]) == ("error_sip", "ERROR")


def test_of_equally_specific_failures_the_latest_decides() -> None:
    told = record(failed(at=STARTED + 1, reason="second"), failed(at=STARTED, reason="first"))

    assert told["disconnection_reason"] == "second"


def test_the_end_is_the_deciding_ones_explicit_one() -> None:
    told = record(ended(end_timestamp=STARTED + 7.5), ended(at=STARTED, end_timestamp=STARTED + 3))

    assert told["end_timestamp"] == STARTED + 7


def test_else_it_is_the_latest_that_another_end_states() -> None:
    told = record(
        ended(at=STARTED + 9, reason="voicemail"),
        ended(at=STARTED + 5, reason="unknown", end_timestamp=STARTED + 2),
        ended(at=STARTED + 4, reason="unknown", end_timestamp=STARTED + 3),
    )

    assert told["end_timestamp"] == STARTED + 2


def test_else_it_is_the_deciding_ends_time() -> None:
    assert record(ended(at=STARTED + 9))["end_timestamp"] == STARTED + 9


def test_an_inferred_end_that_does_not_count_states_nothing() -> None:
    inferred = ended(at=STARTED + 1, inferred=True, end_timestamp=STARTED + 99, duration_ms=99_000)

    told = record(event("call.started"), ended(at=STARTED + 5), inferred)

    assert (told["end_timestamp"], told["call_duration"]) == (STARTED + 5, 0.005)


def test_the_duration_is_the_one_that_the_deciding_end_states() -> None:
    told = record(event("call.started"), ended(duration_ms=1500), ended(at=STARTED, duration_ms=9000))

    assert told["call_duration"] == 1.5


def test_else_it_is_the_latest_that_another_end_states_in_seconds() -> None:
    told = record(event("call.started"), ended(), ended(at=STARTED + 1, reason="unknown", duration_ms=0))

    assert told["call_duration"] == 0


def test_else_it_runs_from_the_sessions_start() -> None:
    told = record(event("call.created", at=CREATED), event("call.started"), ended(at=STARTED + 10_250))

    assert told["call_duration"] == 10.25


def test_it_is_never_below_zero() -> None:
    told = record(event("call.started"), ended(at=STARTED - 1))

    assert told["call_duration"] == 0


def test_ringing_is_not_talking() -> None:
    told = record(event("call.created", at=CREATED, start_timestamp=CREATED), ended())

    assert told["call_duration"] == 0


def test_the_session_starts_with_the_earliest_start_by_statement_or_time() -> None:
    told = record(
        event("call.started", at=STARTED + 5_000, start_timestamp=STARTED + 1_000),
        event("call.started", at=STARTED + 2_000),
        event("call.updated", start_timestamp=STARTED),
        ended(at=STARTED + 10_000),
    )

    assert told["call_duration"] == 9


def test_the_reason_stays_as_it_came() -> None:
    assert record(ended(reason="User_Hangup"))["disconnection_reason"] == "User_Hangup"
