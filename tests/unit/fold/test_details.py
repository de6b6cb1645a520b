"""Who called whom, by what, since when."""

import uuid

import pytest

from tests.support.events.makers import CREATED, STARTED, event, record


def test_the_id_is_the_same_on_every_replay() -> None:
    first = record(event("call.created"))["id"]

    again = record(event("call.started"))["id"]

    assert first == again
    assert uuid.UUID(first).version == 5


def test_the_id_is_another_for_another_organization() -> None:
    ids = {record(event("call.created", organization=name))["id"] for name in ("org-1", "org-2")}

    assert len(ids) == 2


def test_what_nobody_told_is_null_or_empty() -> None:
    told = record(event("usage.reported"))

    assert told["call_status"] == "REGISTERED"
    assert (told["metadata"], told["transcript"], told["transcript_object"], told["events"]) == ({}, "", [], [])
    assert told["telephony_identifier"] is None
    assert told["latency"] is None
    assert told["start_timestamp"] is None


@pytest.mark.parametrize("field", ["agent_id", "from_number", "to_number", "public_log_url", "recording_url"])
@pytest.mark.parametrize("kind", ["call.scheduled", "call.created", "call.started", "call.updated"])
def test_the_latest_value_stands(kind: str, field: str) -> None:
    later = event(kind, at=CREATED + 1, **{field: "later"})

    told = record(later, event("call.created", at=CREATED, **{field: "earlier"}))

    assert told[field] == "later"


@pytest.mark.parametrize("nothing", ["", None])
def test_null_and_empty_text_do_not_compete(nothing: str | None) -> None:
    later = event("call.updated", at=CREATED + 1, agent_id=nothing, metadata={"tier": nothing})

    told = record(event("call.created", at=CREATED, agent_id="agent-1", metadata={"tier": "gold"}), later)

    assert told["agent_id"] == "agent-1"
    assert told["metadata"] == {"tier": "gold"}


def test_a_field_is_taken_only_from_the_types_that_list_it() -> None:
    told = record(event("call.transferred", agent_id="agent-1"), event("call.ended", recording_url="https://x"))

    assert told["agent_id"] is None
    assert told["recording_url"] is None


def test_call_type_and_direction_are_upper_case_even_if_unknown() -> None:
    told = record(event("call.created", call_type="web_call", direction="sideways"))

    assert (told["call_type"], told["direction"]) == ("WEB_CALL", "SIDEWAYS")


def test_a_recording_that_became_available_competes_with_the_details() -> None:
    available = event("recording.available", at=STARTED + 1, recording_url="https://new")

    told = record(available, event("call.started", recording_url="https://old"))

    assert told["recording_url"] == "https://new"


def test_the_latest_analysis_stands() -> None:
    told = record(event("call.analyzed", analysis={"n": 1}), event("call.analyzed", analysis={"n": 2}))

    assert told["call_analysis"] == {"n": 2}


def test_metadata_is_merged_by_top_level_key() -> None:
    later = event("call.updated", metadata={"b": {"y": 2}, "$c.d": False})

    told = record(event("call.created", at=CREATED, metadata={"a": 1, "b": {"x": 1}}), later)

    assert told["metadata"] == {"a": 1, "b": {"y": 2}, "$c.d": False}


def test_telephony_identifiers_are_the_latest_of_each() -> None:
    earlier = event("call.created", at=CREATED, telephony_identifier={"call_sid": "CA1", "conference_sid": "CF1"})

    told = record(earlier, event("call.updated", telephony_identifier={"call_sid": "CA2"}))

    assert told["telephony_identifier"] == {"call_sid": "CA2", "conference_sid": "CF1"}


def test_one_telephony_identifier_leaves_the_other_null() -> None:
    told = record(event("call.created", telephony_identifier={"call_sid": "CA1", "conference_sid": ""}))

    assert told["telephony_identifier"] == {"call_sid": "CA1", "conference_sid": None}


@pytest.mark.parametrize(
    ("smaller", "greater"),
    [(None, "0"), ("9", "10"), (9, 10), ("9", 10), ("Z", "a"), ("z", "é")],
)
def test_of_equal_times_the_sequence_decides_and_the_shorter_is_smaller(smaller: str, greater: str) -> None:
    later = event("call.updated", id="a", sequence=greater, agent_id="later")

    told = record(later, event("call.updated", id="b", sequence=smaller, agent_id="earlier"))

    assert told["agent_id"] == "later"


def test_of_equal_sequences_the_source_decides_and_then_the_id() -> None:
    rivals = [
        event("call.updated", source=source, id=name, agent_id=source + name)
        for source, name in [("/b", "1"), ("/a", "2"), ("/b", "10")]
    ]

    told = record(*rivals)

    assert told["agent_id"] == "/b10"


def test_the_start_is_the_latest_explicit_one() -> None:
    told = record(
        event("call.started", at=STARTED, start_timestamp=STARTED),
        event("call.updated", at=STARTED + 1, start_timestamp=CREATED + 0.9),
        event("call.scheduled", at=STARTED + 2, start_timestamp=STARTED + 9),
    )

    assert told["start_timestamp"] == CREATED


def test_without_an_explicit_start_it_is_the_sessions() -> None:
    told = record(event("call.scheduled", at=CREATED, start_timestamp=STARTED - 1), event("call.started", at=STARTED))

    assert told["start_timestamp"] == STARTED


def test_before_the_session_it_is_the_planned_start() -> None:
    told = record(event("call.scheduled", at=CREATED, start_timestamp=STARTED))

    assert told["start_timestamp"] == STARTED
