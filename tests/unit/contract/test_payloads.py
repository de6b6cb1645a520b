"""The `data` of each type, and the sentence about an invalid field."""

from typing import Any

import pytest

from shared.contract.decode_event import Event, decode
from shared.contract.payloads import TYPES
from shared.contract.rejection import Reason
from tests.support.events.makers import STARTED, accepted, event, raw, rejected

STAMP = "must be Unix milliseconds in the years 2000 to 2100"
AMOUNT = "must be a number or a string like `-12.50`, below 10^9, with at most 12 digits after the point"
ID = "must be a string of 1 to 256 characters"


def sent(kind: str, **data: Any) -> bytes:
    return raw(event(kind, **data))


@pytest.mark.parametrize("kind", sorted(TYPES))
def test_the_required_fields_are_enough_and_unknown_fields_are_ignored(kind: str) -> None:
    assert "unknown" not in accepted(sent(kind, unknown={"a": [1]})).data


@pytest.mark.parametrize(
    ("kind", "field"),
    [
        ("call.dtmf", "digits"),
        ("call.note", "event"),
        ("call.ended", "disconnection_reason"),
        ("call.failed", "disconnection_reason"),
        ("recording.available", "recording_url"),
        ("transcript.turn", "role"),
        ("transcript.turn", "content"),
        ("transcript.retracted", "turn_id"),
        ("transcript.retracted", "revision"),
        ("tool.called", "tool_call_id"),
        ("tool.called", "name"),
        ("tool.returned", "tool_call_id"),
        ("tool.returned", "content"),
        ("latency.sampled", "component"),
        ("latency.sampled", "value_ms"),
        ("usage.reported", "product"),
        ("usage.reported", "quantity"),
        ("cost.reported", "product"),
        ("cost.reported", "cost"),
        ("call.analyzed", "analysis"),
    ],
)
def test_a_required_field_that_is_missing_or_null_is_rejected(kind: str, field: str) -> None:
    body = event(kind)
    del body["data"][field]

    assert rejected(raw(body)) == (Reason.MISSING, f"`data.{field}` is missing")
    assert rejected(sent(kind, **{field: None})) == (Reason.MISSING, f"`data.{field}` is missing")


@pytest.mark.parametrize("kind", sorted(TYPES))
def test_optional_fields_may_be_null(kind: str) -> None:
    model: Any = TYPES[kind]
    nulls: dict[str, Any] = {field: None for field in model.__annotations__ if field not in model.__required_keys__}

    accepted(sent(kind, **nulls))


@pytest.mark.parametrize("data", [[], "text", 7, True])
def test_data_that_is_not_an_object_is_rejected(data: Any) -> None:
    reason, sentence = rejected(raw(event("call.created") | {"data": data}))

    assert reason is Reason.WRONG_TYPE
    assert sentence.startswith("`data` must be an object, got a")


@pytest.mark.parametrize("data", [None, {}])
def test_data_may_be_null_or_missing_if_no_field_is_required(data: Any) -> None:
    body = event("call.created") | {"data": data}

    accepted(raw(body))

    del body["data"]
    accepted(raw(body))


@pytest.mark.parametrize(
    ("kind", "data", "reason", "sentence"),
    [
        ("call.created", {"agent_id": 7}, Reason.WRONG_TYPE, "`data.agent_id` must be a string, got a number"),
        ("call.created", {"metadata": []}, Reason.WRONG_TYPE, "`data.metadata` must be an object, got a list"),
        (
            "call.created",
            {"telephony_identifier": {"call_sid": 7}},
            Reason.WRONG_TYPE,
            "`data.telephony_identifier.call_sid` must be a string, got a number",
        ),
        (
            "call.created",
            {"opt_out_sensitive_data_storage": "true"},
            Reason.WRONG_TYPE,
            "`data.opt_out_sensitive_data_storage` must be true or false, got a string",
        ),
        (
            "call.started",
            {"start_timestamp": 1_703_097_600},
            Reason.OUT_OF_BOUNDS,
            f"`data.start_timestamp` {STAMP}, got 1703097600 (seconds, or an offset into the audio?)",
        ),
        (
            "call.started",
            {"start_timestamp": 0.5},
            Reason.OUT_OF_BOUNDS,
            f"`data.start_timestamp` {STAMP}, got 0.5 (sec",
        ),
        ("call.started", {"start_timestamp": "1"}, Reason.WRONG_TYPE, f"`data.start_timestamp` {STAMP}, got a string"),
        (
            "call.ended",
            {"end_timestamp": 4_133_980_800_000},
            Reason.OUT_OF_BOUNDS,
            f"`data.end_timestamp` {STAMP}, got 4133980800000",
        ),
        (
            "call.ended",
            {"disconnection_reason": ""},
            Reason.OUT_OF_BOUNDS,
            "`data.disconnection_reason` must be a non-empty",
        ),
        (
            "call.ended",
            {"duration_ms": -1},
            Reason.OUT_OF_BOUNDS,
            "`data.duration_ms` must be milliseconds, a number from 0 to 2^53, got -1",
        ),
        (
            "call.ended",
            {"duration_ms": 2**53 + 2},
            Reason.OUT_OF_BOUNDS,
            "`data.duration_ms` must be milliseconds, a number from 0 to 2^53, got 9",
        ),
        ("call.ended", {"sip_code": "486"}, Reason.WRONG_TYPE, "`data.sip_code` must be an integer, got a string"),
        ("call.ended", {"sip_code": True}, Reason.WRONG_TYPE, "`data.sip_code` must be an integer, got a boolean"),
        ("call.ended", {"q850_cause": 1.5}, Reason.WRONG_TYPE, "`data.q850_cause` must be an integer, got 1.5"),
        ("call.ended", {"inferred": 1}, Reason.WRONG_TYPE, "`data.inferred` must be true or false, got a number"),
        ("call.note", {"data": 15551234567}, Reason.WRONG_TYPE, "`data.data` must be an object, got a number"),
        ("transcript.turn", {"content": 7}, Reason.WRONG_TYPE, "`data.content` must be a string, got a number"),
        (
            "transcript.turn",
            {"role": ""},
            Reason.OUT_OF_BOUNDS,
            "`data.role` must be a non-empty string, got an empty string",
        ),
        ("transcript.turn", {"turn_id": ""}, Reason.OUT_OF_BOUNDS, f"`data.turn_id` {ID}, got an empty string"),
        ("transcript.turn", {"turn_id": "t" * 257}, Reason.OUT_OF_BOUNDS, f"`data.turn_id` {ID}, got a string"),
        (
            "transcript.turn",
            {"revision": -1},
            Reason.OUT_OF_BOUNDS,
            "`data.revision` must be an integer, 0 or more, got -1",
        ),
        ("transcript.turn", {"words": {}}, Reason.WRONG_TYPE, "`data.words` must be a list, got an object"),
        ("transcript.turn", {"words": [{"word": "a"}, {}]}, Reason.MISSING, "`data.words.1.word` is missing"),
        (
            "transcript.turn",
            {"words": [{"word": "a", "start": 0}]},
            Reason.OUT_OF_BOUNDS,
            f"`data.words.0.start` {STAMP}, got 0 (seconds, or an offset into the audio?)",
        ),
        ("tool.called", {"tool_call_id": 1}, Reason.WRONG_TYPE, f"`data.tool_call_id` {ID}, got a number"),
        (
            "tool.returned",
            {"successful": "no"},
            Reason.WRONG_TYPE,
            "`data.successful` must be true or false, got a string",
        ),
        (
            "latency.sampled",
            {"component": "LLM"},
            Reason.OUT_OF_BOUNDS,
            "`data.component` must be a name of lower-case l",
        ),
        (
            "latency.sampled",
            {"component": "llm\n"},
            Reason.OUT_OF_BOUNDS,
            "`data.component` must be a name of lower-cas",
        ),
        (
            "latency.sampled",
            {"component": "l" * 65},
            Reason.OUT_OF_BOUNDS,
            "`data.component` must be a name of lower-ca",
        ),
        (
            "latency.sampled",
            {"value_ms": -0.1},
            Reason.OUT_OF_BOUNDS,
            "`data.value_ms` must be milliseconds, a number from 0 to 3,600,000, got -0.1",
        ),
        (
            "latency.sampled",
            {"value_ms": 3_600_000.1},
            Reason.OUT_OF_BOUNDS,
            "`data.value_ms` must be milliseconds, a number from 0 to 3,600,000, got 3600000.1",
        ),
        (
            "latency.sampled",
            {"value_ms": "7"},
            Reason.WRONG_TYPE,
            "`data.value_ms` must be milliseconds, a number from 0 to 3,600,000, got a string",
        ),
        ("usage.reported", {"quantity": -1}, Reason.OUT_OF_BOUNDS, f"`data.quantity` {AMOUNT}, not negative, got -1"),
        (
            "cost.reported",
            {"unit_price": "-1"},
            Reason.OUT_OF_BOUNDS,
            f"`data.unit_price` {AMOUNT}, not negative, got a string",
        ),
        ("cost.reported", {"line_id": ""}, Reason.OUT_OF_BOUNDS, f"`data.line_id` {ID}, got an empty string"),
        ("call.analyzed", {"analysis": "good"}, Reason.WRONG_TYPE, "`data.analysis` must be an object, got a string"),
    ],
)
def test_an_invalid_field_is_rejected_with_a_reason_and_a_sentence(
    kind: str, data: dict[str, Any], reason: Reason, sentence: str
) -> None:
    why, detail = rejected(sent(kind, **data))

    assert (why, detail[: len(sentence)]) == (reason, sentence)


def test_a_fraction_of_a_timestamp_is_cut_off() -> None:
    word = {"word": "Hi", "start": STARTED + 0.999, "end": STARTED + 1}

    read = accepted(sent("transcript.turn", timestamp=STARTED + 0.5, words=[word]))

    assert read.data["timestamp"] == STARTED
    assert read.data["words"] == [{"word": "Hi", "start": STARTED, "end": STARTED + 1}]


@pytest.mark.parametrize("value", ["", "text", {"a": 1}, [], 7, False])
def test_the_content_of_a_tool_may_be_any_json(value: Any) -> None:
    for kind, field in [("tool.called", "arguments"), ("tool.returned", "content")]:
        assert accepted(sent(kind, **{field: value})).data[field] == value


def test_a_turn_may_be_empty() -> None:
    accepted(sent("transcript.turn", content=""))


@pytest.mark.parametrize("kind", sorted(TYPES))
def test_no_sentence_shows_private_content(kind: str) -> None:
    for field in TYPES[kind].__annotations__:
        for private in ("+15551234567", {"a": "+15551234567"}, ["+15551234567"]):
            read = decode(sent(kind, **{field: private}))

            assert isinstance(read, Event) or "15551234567" not in read.detail


@pytest.mark.parametrize("field", ["from_number", "to_number", "metadata", "telephony_identifier", "recording_url"])
def test_no_sentence_shows_a_number_where_none_is_needed(field: str) -> None:
    _, sentence = rejected(sent("call.created", **{field: 15551234567}))

    assert "15551234567" not in sentence
