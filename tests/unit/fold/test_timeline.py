"""The timeline of a call."""

from typing import Any

import pytest

from tests.support.events.makers import CREATED, STARTED, Json, event, record

WITHOUT_ENTRY = [
    "transcript.turn",
    "transcript.retracted",
    "tool.called",
    "tool.returned",
    "latency.sampled",
    "usage.reported",
    "cost.reported",
    "call.analyzed",
]


def entry(*bodies: Json) -> tuple[str, Any]:
    """Return the label and the data of the last entry."""
    last = record(*bodies)["events"][-1]
    return last["event"], last["data"]


def test_entries_are_sorted_by_ordering_key() -> None:
    call = [event("call.ended", at=STARTED + 2), event("call.created", at=CREATED), event("call.started")]

    timeline = record(*call)["events"]

    assert [found["timestamp"] for found in timeline] == [CREATED, STARTED, STARTED + 2]


def test_session_time_is_seconds_since_the_session_started_and_zero_before() -> None:
    call = [event("call.created", at=CREATED), event("call.started"), event("call.dtmf", at=STARTED + 1_234)]

    assert [found["session_time"] for found in record(*call)["events"]] == [0, 0, 1.234]


def test_session_time_is_zero_without_a_session() -> None:
    call = [event("call.created", at=CREATED), event("call.dtmf", at=CREATED + 9_000)]

    assert [found["session_time"] for found in record(*call)["events"]] == [0, 0]


def test_scheduled_and_created_have_no_data() -> None:
    assert entry(event("call.scheduled", agent_id="agent-1")) == ("Call scheduled", {})
    assert entry(event("call.created", agent_id="agent-1")) == ("Call created", {})


def test_started_shows_the_values_of_the_record() -> None:
    call = [event("call.created", at=CREATED, direction="outbound", from_number="+1"), event("call.started")]

    shown = entry(event("call.updated", at=STARTED + 1, direction="inbound"), *call)

    assert shown == ("Call started - INBOUND", {"direction": "INBOUND", "from": "+1"})


def test_started_has_no_suffix_while_the_direction_is_unknown() -> None:
    assert entry(event("call.started", to_number="+2")) == ("Call started", {"to": "+2"})


def test_an_update_has_no_entry() -> None:
    assert record(event("call.updated", agent_id="agent-1"))["events"] == []


@pytest.mark.parametrize("kind", WITHOUT_ENTRY)
def test_events_with_another_place_in_the_record_have_no_entry(kind: str) -> None:
    assert record(event(kind))["events"] == []


def test_a_transfer_shows_its_destination() -> None:
    found = entry(event("call.transferred", destination="+3", mode="warm", transfer_id=None, reason="busy"))

    assert found == ("Call transferred", {"destination": "+3", "mode": "warm"})


def test_dtmf_shows_the_digits() -> None:
    assert entry(event("call.dtmf", digits="27#")) == ("DTMF received", {"digits": "27#"})


def test_a_note_shows_its_text_and_its_data() -> None:
    assert entry(event("call.note", event="Said thanks", data={"times": 2})) == ("Said thanks", {"times": 2})
    assert entry(event("call.note", event="Said thanks")) == ("Said thanks", {})


def test_an_end_shows_its_own_reason_and_fields() -> None:
    loser = event("call.ended", disconnection_reason="unknown", ended_by="agent", sip_code=200, message="not its own")

    assert entry(event("call.failed", at=CREATED), loser) == (
        "Call ended - unknown",
        {"ended_by": "agent", "sip_code": 200},
    )


def test_a_failure_shows_its_message_too() -> None:
    found = entry(event("call.failed", message="no route", q850_cause=3))

    assert found == ("Call failed - error_sip", {"q850_cause": 3, "message": "no route"})


def test_inferred_is_shown_only_if_it_is_true() -> None:
    assert entry(event("call.ended", inferred=False))[1] == {}
    assert entry(event("call.ended", inferred=True))[1] == {"inferred": True}


def test_a_recording_shows_what_is_stated_of_it() -> None:
    stated = {"recording_url": "https://r.example/1", "recording_id": "R1", "channel": "both", "duration_ms": 300_000}

    assert entry(event("recording.available", **stated, unknown=1)) == ("Recording available", stated)


def test_an_unknown_type_is_shown_with_its_data() -> None:
    found = entry(event("sentiment.guessed", mood=None, score=0.5))

    assert found == ("sentiment.guessed", {"mood": None, "score": 0.5})


@pytest.mark.parametrize(
    ("data", "shown"), [(["a"], {"value": ["a"]}), (0, {"value": 0}), ("", {"value": ""}), (None, {})]
)
def test_data_that_is_not_an_object_is_shown_as_value(data: Any, shown: Json) -> None:
    assert entry(event("sentiment.guessed") | {"data": data}) == ("sentiment.guessed", shown)


def test_an_unknown_type_without_data_shows_none() -> None:
    body = event("sentiment.guessed")
    del body["data"]

    assert entry(body) == ("sentiment.guessed", {})
