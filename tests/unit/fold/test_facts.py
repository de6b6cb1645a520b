"""The details of a call."""

import uuid

import pytest

from tests.support.events.makers import CREATED, STARTED, event, record


def test_the_id_of_a_call_never_changes() -> None:
    first = record(event("call.created"))["id"]

    again = record(event("call.started"))["id"]

    assert first == again
    assert uuid.UUID(first).version == 5


def test_the_same_call_id_of_two_organizations_has_two_ids() -> None:
    ids = {record(event("call.created", organization=name))["id"] for name in ("org-1", "org-2")}

    assert len(ids) == 2


def test_unknown_details_are_null_or_empty() -> None:
    found = record(event("usage.reported"))

    assert found["call_status"] == "REGISTERED"
    assert (found["metadata"], found["transcript"], found["transcript_object"], found["events"]) == ({}, "", [], [])
    assert found["telephony_identifier"] is None
    assert found["latency"] is None
    assert found["start_timestamp"] is None


@pytest.mark.parametrize("field", ["agent_id", "from_number", "to_number", "public_log_url", "recording_url"])
@pytest.mark.parametrize("kind", ["call.scheduled", "call.created", "call.started", "call.updated"])
def test_the_latest_value_wins(kind: str, field: str) -> None:
    later = event(kind, at=CREATED + 1, **{field: "later"})

    found = record(later, event("call.created", at=CREATED, **{field: "earlier"}))

    assert found[field] == "later"


@pytest.mark.parametrize("nothing", ["", None])
def test_null_and_the_empty_string_do_not_overwrite(nothing: str | None) -> None:
    later = event("call.updated", at=CREATED + 1, agent_id=nothing, metadata={"tier": nothing})

    found = record(event("call.created", at=CREATED, agent_id="agent-1", metadata={"tier": "gold"}), later)

    assert found["agent_id"] == "agent-1"
    assert found["metadata"] == {"tier": "gold"}


def test_a_field_counts_only_in_the_types_that_have_it() -> None:
    found = record(event("call.transferred", agent_id="agent-1"), event("call.ended", recording_url="https://x"))

    assert found["agent_id"] is None
    assert found["recording_url"] is None


def test_call_type_and_direction_are_upper_case_even_if_unknown() -> None:
    found = record(event("call.created", call_type="web_call", direction="sideways"))

    assert (found["call_type"], found["direction"]) == ("WEB_CALL", "SIDEWAYS")


def test_a_later_recording_wins_over_the_details() -> None:
    available = event("recording.available", at=STARTED + 1, recording_url="https://new")

    found = record(available, event("call.started", recording_url="https://old"))

    assert found["recording_url"] == "https://new"


def test_the_latest_analysis_wins() -> None:
    found = record(event("call.analyzed", analysis={"n": 1}), event("call.analyzed", analysis={"n": 2}))

    assert found["call_analysis"] == {"n": 2}


def test_metadata_is_merged_by_top_level_key() -> None:
    later = event("call.updated", metadata={"b": {"y": 2}, "$c.d": False})

    found = record(event("call.created", at=CREATED, metadata={"a": 1, "b": {"x": 1}}), later)

    assert found["metadata"] == {"a": 1, "b": {"y": 2}, "$c.d": False}


def test_of_each_telephony_identifier_the_latest_wins() -> None:
    earlier = event("call.created", at=CREATED, telephony_identifier={"call_sid": "CA1", "conference_sid": "CF1"})

    found = record(earlier, event("call.updated", telephony_identifier={"call_sid": "CA2"}))

    assert found["telephony_identifier"] == {"call_sid": "CA2", "conference_sid": "CF1"}


def test_one_telephony_identifier_leaves_the_other_null() -> None:
    found = record(event("call.created", telephony_identifier={"call_sid": "CA1", "conference_sid": ""}))

    assert found["telephony_identifier"] == {"call_sid": "CA1", "conference_sid": None}


@pytest.mark.parametrize(
    ("smaller", "greater"),
    [(None, "0"), ("9", "10"), (9, 10), ("9", 10), ("Z", "a"), ("z", "é")],
)
def test_at_equal_times_the_sequence_decides_and_the_shorter_is_smaller(smaller: str, greater: str) -> None:
    later = event("call.updated", id="a", sequence=greater, agent_id="later")

    found = record(later, event("call.updated", id="b", sequence=smaller, agent_id="earlier"))

    assert found["agent_id"] == "later"


def test_at_equal_sequences_the_source_decides_and_then_the_id() -> None:
    updates = [
        event("call.updated", source=source, id=name, agent_id=source + name)
        for source, name in [("/b", "1"), ("/a", "2"), ("/b", "10")]
    ]

    found = record(*updates)

    assert found["agent_id"] == "/b10"


def test_the_start_is_the_latest_explicit_one() -> None:
    found = record(
        event("call.started", at=STARTED, start_timestamp=STARTED),
        event("call.updated", at=STARTED + 1, start_timestamp=CREATED + 0.9),
        event("call.scheduled", at=STARTED + 2, start_timestamp=STARTED + 9),
    )

    assert found["start_timestamp"] == CREATED


def test_without_an_explicit_start_it_is_the_start_of_the_session() -> None:
    found = record(event("call.scheduled", at=CREATED, start_timestamp=STARTED - 1), event("call.started", at=STARTED))

    assert found["start_timestamp"] == STARTED


def test_before_the_session_it_is_the_planned_start() -> None:
    found = record(event("call.scheduled", at=CREATED, start_timestamp=STARTED))

    assert found["start_timestamp"] == STARTED
