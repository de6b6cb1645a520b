"""The reference implementation reads bodies as the contract's page says; these are the cases that the page decides."""

import hashlib
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given, settings

from tests.support.events.makers import STARTED, Json, event, raw, rfc3339
from tests.support.events.strategies import SECRET, arrivals, calls
from tests.support.reference.reading import ReadCall, as_logged, read_call

HOUR = 3_600_000


def read(kind: str, **fields: Any) -> tuple[Json, set[tuple[str, str | None]]]:
    """Return what is read of an event's data, and its problems."""
    call = read_call([event(kind, **fields)])
    return call.events[0]["data"], problems(call)


def problems(call: ReadCall) -> set[tuple[str, str | None]]:
    return {(problem["kind"], problem["field"]) for problem in call.problems}


@pytest.mark.parametrize(
    ("kind", "sent", "as_read"),
    [
        ("call.created", {"direction": "Outbound API"}, "OUTBOUND"),
        ("call.created", {"call_type": "sideways"}, "SIDEWAYS"),
        ("call.created", {"from_number": 27}, "27"),
        ("call.ended", {"sip_code": "486.0"}, 486),
        ("call.ended", {"end_timestamp": f"{STARTED}.9"}, STARTED),
        ("call.ended", {"inferred": "True"}, True),
        ("call.transferred", {"status": "Canceled"}, "cancelled"),
        ("usage.reported", {"quantity": "0.0026999999999999997"}, Fraction("0.0027")),
        ("latency.sampled", {"component": "LLM.ttft"}, "llm_ttft"),
        ("cost.reported", {"currency": "eur"}, "EUR"),
        ("transcript.turn", {"content": None}, ""),
    ],
)
def test_a_spelling_that_can_mean_only_one_thing_is_read(kind: str, sent: Json, as_read: Any) -> None:
    data, found = read(kind, **sent)

    assert data[next(iter(sent))] == as_read
    assert found == set()


@pytest.mark.parametrize(
    ("kind", "sent", "problem"),
    [
        ("call.ended", {"duration_ms": -1}, "field_unreadable"),
        ("call.created", {"from_number": ["27"]}, "field_unreadable"),
        ("call.created", {"start_timestamp": STARTED - 31 * 24 * HOUR}, "field_unreadable"),
        ("call.ended", {"end_timestamp": STARTED + HOUR + 1}, "time_ahead"),
        ("transcript.turn", {"timestamp": STARTED // 1000}, "field_unreadable"),
    ],
)
def test_a_wrong_field_costs_itself_alone(kind: str, sent: Json, problem: str) -> None:
    (field,) = sent

    data, found = read(kind, **sent)

    assert field not in data
    assert found == {(problem, field)}


@pytest.mark.parametrize(
    ("kind", "sent", "as_read"),
    [
        ("call.ended", {"leg_id": ["A"]}, "?" + hashlib.sha256(b'["A"]').hexdigest()[:16]),
        ("call.ended", {"inferred": "perhaps"}, True),
        ("cost.reported", {"currency": "euro"}, "XXX"),
    ],
)
def test_a_wrong_field_that_would_change_the_event_is_read_on_the_safe_side(
    kind: str, sent: Json, as_read: Any
) -> None:
    (field,) = sent

    data, found = read(kind, **sent)

    assert data[field] == as_read
    assert found == {("field_unreadable", field)}


def test_a_planned_start_may_lie_ahead_and_an_expiry_too() -> None:
    tomorrow = STARTED + 24 * HOUR

    scheduled, _ = read("call.scheduled", start_timestamp=tomorrow)
    recording, _ = read("recording.available", expires_at=tomorrow)

    assert (scheduled["start_timestamp"], recording["expires_at"]) == (tomorrow, tomorrow)


def test_words_fail_one_by_one() -> None:
    words = [{"word": "how", "start": 0.32, "end": STARTED}, {"word": ""}, {"word": "are", "start": STARTED + 2 * HOUR}]

    data, found = read("transcript.turn", words=words)

    assert data["words"] == [
        {"word": "how", "start": None, "end": STARTED},
        {"word": "are", "start": None, "end": None},
    ]
    assert found == {("word_times_unreadable", "words"), ("field_unreadable", "words"), ("time_ahead", "words")}


def test_free_form_values_keep_what_can_be_kept() -> None:
    data, found = read("call.created", metadata={"a": [2**63], "b\0": 1, "c": "\ud83d"})

    assert data["metadata"] == {"a": [str(2**63)], "c": "\ufffd"}
    assert found == {(kind, "metadata") for kind in ("number_as_text", "key_left_out", "surrogate_replaced")}


def test_problems_of_copies_of_one_body_are_reported_together() -> None:
    one = event("call.created", id="1", sequence="s" * 33, agent_id="\ufffd")
    other = event("call.created", id="1", agent_id="\ud83d")

    call = read_call([one, other])

    assert (call.event_count, call.conflict_count) == (1, 0)
    assert problems(call) == {("field_unreadable", None), ("surrogate_replaced", "agent_id")}


def test_of_two_deliveries_by_a_wrong_clock_the_earliest_counts_and_they_are_no_conflict() -> None:
    sent = event("call.started", id="1", at=STARTED + 9 * HOUR)
    first, second = as_logged(sent, STARTED + 5), as_logged(sent, STARTED + 9 * HOUR)
    assert first
    assert second

    call = read_call([second, first])

    assert (call.events[0]["time"], call.conflict_count) == (STARTED + 5, 0)
    assert problems(call) == {("time_ahead", None)}


def test_ids_of_one_time_are_ordered_by_their_length_first() -> None:
    call = read_call([event("call.note", id=f"t{number}") for number in (10, 2, 1)])

    assert [event["id"] for event in call.events] == ["t1", "t2", "t10"]


def test_redaction_comes_before_bodies_are_compared() -> None:
    turns = [event("transcript.turn", id="1", content=content, words=7) for content in ("a", "b")]

    kept = read_call([*turns, event("call.updated", opt_out_sensitive_data_storage="perhaps")])

    assert (kept.opted_out, kept.event_count, kept.conflict_count, kept.problems) == (True, 2, 0, [])


def test_redaction_writes_out_the_time_of_the_words() -> None:
    words = [{"word": "are", "start": STARTED + 2}, {"word": "how", "start": STARTED + 1}]

    call = read_call([event("transcript.turn", words=words)], opted_out=True)

    assert call.events[0]["data"] == {"timestamp": STARTED + 1}


def test_what_arrives_with_an_unreadable_time_is_taken_at_its_arrival() -> None:
    sent = event("call.started") | {"time": "yesterday", "producertime": rfc3339(STARTED)}

    logged = as_logged(sent, STARTED + 7)

    assert logged == sent | {"time": rfc3339(STARTED + 7), "producertime": "yesterday"}


def test_a_refused_event_that_opts_out_still_opts_out() -> None:
    sent = event("call.ended", id="1", source="/a", disconnection_reason=[], opt_out_sensitive_data_storage="true")

    logged = as_logged(sent, STARTED)

    assert logged
    assert (logged["source"], logged["id"]) == ("/callfold/opt-out", hashlib.sha256(b"/a\x001").hexdigest())
    assert read_call([logged]).opted_out


@given(arrivals())
def test_what_enters_the_log_is_one_event_without_sensitive_digits(arrival: tuple[Json, int]) -> None:
    body, at = arrival

    logged = as_logged(body, at)

    if logged is not None:
        assert read_call([logged]).event_count == 1
        assert as_logged(logged, at) is not None


@settings(max_examples=30)
@given(calls(opt_out=True))
def test_every_drawn_body_is_a_valid_event_and_loses_its_private_content(call: list[Json]) -> None:
    for body in call:
        assert read_call([raw(body)]).event_count == 1

    assert SECRET not in repr(read_call(call, opted_out=True))
