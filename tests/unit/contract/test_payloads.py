"""The `data` of each type: what is required, what is read, and what a wrong field costs."""

from typing import Any

import pytest

from shared.contract.decode_event import Event, InvalidEvent, decode, decode_logged
from shared.contract.payloads import OPT_OUT, TYPES
from shared.contract.problems import ProblemKind
from shared.contract.rejection import Reason
from shared.contract.timestamps import LATEST_MS
from tests.support.events.makers import STARTED, Json, accepted, event, raw, rejected

STAMP = "must be Unix milliseconds in the years 2000 to 2100"
AMOUNT = "must be a number or a string like `-12.50`, below 10^9"
ID = "must be a string of 1 to 256 characters"


def sent(kind: str, /, **data: Any) -> bytes:
    return raw(event(kind, at=STARTED, **data))


def problems(kind: str, /, **data: Any) -> list[tuple[ProblemKind, str | None]]:
    return [(problem.kind, problem.field) for problem in accepted(sent(kind, **data)).problems]


@pytest.mark.parametrize("kind", sorted(TYPES))
def test_the_required_fields_are_enough_and_unknown_fields_are_ignored(kind: str) -> None:
    read = accepted(sent(kind, unknown={"a": [1]}))

    assert "unknown" not in read.data
    assert read.problems == ()


REQUIRED = [
    ("call.classified", "answered_by"),
    ("call.dtmf", "digits"),
    ("call.note", "event"),
    ("call.ended", "disconnection_reason"),
    ("call.failed", "disconnection_reason"),
    ("recording.available", "recording_url"),
    ("transcript.turn", "role"),
    ("transcript.retracted", "turn_id"),
    ("transcript.retracted", "revision"),
    ("tool.called", "name"),
    ("latency.sampled", "component"),
    ("latency.sampled", "value_ms"),
    ("usage.reported", "product"),
    ("usage.reported", "quantity"),
    ("cost.reported", "product"),
    ("cost.reported", "cost"),
    ("call.analyzed", "analysis"),
]


@pytest.mark.parametrize(("kind", "field"), [*REQUIRED, ("transcript.turn", "content"), ("tool.returned", "content")])
def test_a_required_field_that_is_missing_is_rejected(kind: str, field: str) -> None:
    body = event(kind)
    del body["data"][field]

    assert rejected(raw(body)) == (Reason.MISSING, f"`data.{field}` is missing")


@pytest.mark.parametrize(("kind", "field"), REQUIRED)
def test_so_is_one_that_is_null_or_an_empty_text(kind: str, field: str) -> None:
    assert rejected(sent(kind, **{field: None})) == (Reason.MISSING, f"`data.{field}` is missing")
    assert rejected(sent(kind, **{field: ""}))[1].endswith(", got an empty string")


@pytest.mark.parametrize("kind", ["transcript.turn", "tool.returned"])
@pytest.mark.parametrize("content", [None, ""])
def test_the_content_may_be_null_or_empty(kind: str, content: str | None) -> None:
    read = accepted(sent(kind, content=content))

    assert (read.data["content"], read.problems) == ("", ())


@pytest.mark.parametrize("empty", [None, ""])
@pytest.mark.parametrize("kind", sorted(TYPES))
def test_null_and_an_empty_text_of_an_optional_field_are_absent(kind: str, empty: str | None) -> None:
    model: Any = TYPES[kind]
    optional = {field for field in model.__annotations__ if field not in model.__required_keys__} - {"digits"}

    read = accepted(sent(kind, **dict.fromkeys(optional, empty)))

    assert (optional & read.data.keys(), read.problems) == (set(), ())


def test_so_is_one_inside_an_identifier_and_a_word() -> None:
    identifier = accepted(sent("call.created", telephony_identifier={"call_sid": "", "conference_sid": None})).data
    words = accepted(sent("transcript.turn", words=[{"word": "a", "start": None, "end": ""}])).data

    assert identifier["telephony_identifier"] == {}
    assert words["words"] == [{"word": "a"}]


@pytest.mark.parametrize("data", [None, {}])
def test_data_may_be_null_or_missing_if_no_field_is_required(data: Any) -> None:
    body = event("call.created") | {"data": data}

    assert accepted(raw(body)).data == {}

    del body["data"]
    assert accepted(raw(body)).data == {}


WRONG: list[tuple[str, Json, str]] = [
    ("call.created", {"agent_id": 7.5}, "`data.agent_id` must be a string of 1 to 256 characters, got a number"),
    ("call.created", {"agent_id": ["a"]}, "`data.agent_id` must be a string of 1 to 256 characters, got a list"),
    ("call.created", {"from_number": True}, "`data.from_number` must be a string, got a boolean"),
    ("call.created", {"metadata": []}, "`data.metadata` must be an object, got a list"),
    ("call.created", {"telephony_identifier": "CA1"}, "`data.telephony_identifier` must be an object, got a string"),
    ("call.started", {"start_timestamp": 1_703_097_600}, f"`data.start_timestamp` {STAMP}, got 1703097600 (seconds?)"),
    ("call.started", {"start_timestamp": 0.5}, f"`data.start_timestamp` {STAMP}, got 0.5 (an offset into the audio?)"),
    ("call.started", {"start_timestamp": -1}, f"`data.start_timestamp` {STAMP}, got -1"),
    ("call.started", {"start_timestamp": "1"}, f"`data.start_timestamp` {STAMP}, got a string"),
    ("call.ended", {"end_timestamp": LATEST_MS}, f"`data.end_timestamp` {STAMP}, got 4133980800000"),
    (
        "call.ended",
        {"end_timestamp": STARTED * 1000},
        f"`data.end_timestamp` {STAMP}, got {STARTED}000 (microseconds?)",
    ),
    ("call.ended", {"duration_ms": -1}, "`data.duration_ms` must be milliseconds, a number from 0 to 30 days, got -1"),
    ("call.ended", {"duration_ms": 2_592_000_001}, "`data.duration_ms` must be milliseconds, a number from 0 to 30"),
    ("call.ended", {"duration_ms": -0.5}, "`data.duration_ms` must be milliseconds, a number from 0 to 30 days, got"),
    ("call.ended", {"sip_code": "48x"}, "`data.sip_code` must be an integer, got a string"),
    ("call.ended", {"sip_code": True}, "`data.sip_code` must be an integer, got a boolean"),
    ("call.ended", {"q850_cause": 1.5}, "`data.q850_cause` must be an integer, got 1.5"),
    ("call.ended", {"q850_cause": 1e30}, "`data.q850_cause` must be an integer, got 1e+30"),
    ("call.ended", {"q850_cause": 2**63}, "`data.q850_cause` must be an integer, got a number of 19 digits"),
    ("call.note", {"data": 15551234567}, "`data.data` must be an object, got a number"),
    ("call.transferred", {"transfer_id": "t" * 257}, f"`data.transfer_id` {ID}, got a string"),
    ("call.transferred", {"status": 7.5}, "`data.status` must be a non-empty string, got a number"),
    ("recording.available", {"recording_id": []}, f"`data.recording_id` {ID}, got a list"),
    ("transcript.turn", {"turn_id": "t" * 257}, f"`data.turn_id` {ID}, got a string"),
    ("transcript.turn", {"revision": -1}, "`data.revision` must be an integer, 0 or more, got -1"),
    ("transcript.turn", {"final": "no"}, "`data.final` must be true or false, got a string"),
    ("transcript.turn", {"final": 1}, "`data.final` must be true or false, got a number"),
    ("transcript.turn", {"words": {}}, "`data.words` must be a list of words, got an object"),
    ("transcript.turn", {"confidence": 1.1}, "`data.confidence` must be a number from 0 to 1, got 1.1"),
    ("tool.called", {"tool_call_id": {}}, f"`data.tool_call_id` {ID}, got an object"),
    ("tool.called", {"revision": "1.5"}, "`data.revision` must be an integer, 0 or more, got a string"),
    ("tool.returned", {"successful": "no"}, "`data.successful` must be true or false, got a string"),
    ("latency.sampled", {"sample_id": 1.5}, f"`data.sample_id` {ID}, got a number"),
    ("cost.reported", {"unit_price": "x"}, f"`data.unit_price` {AMOUNT}, got a string"),
    ("cost.reported", {"quantity": 10**9}, f"`data.quantity` {AMOUNT}, got 1000000000"),
    ("cost.reported", {"line_id": False}, f"`data.line_id` {ID}, got a boolean"),
]


@pytest.mark.parametrize(("kind", "data", "sentence"), WRONG)
def test_a_wrong_optional_field_is_left_out_and_a_problem(kind: str, data: Json, sentence: str) -> None:
    read = accepted(sent(kind, **data))

    [field] = data
    assert field not in read.data
    assert read.data.items() <= accepted(sent(kind)).data.items()
    [problem] = read.problems
    assert (problem.kind, problem.field, problem.detail[: len(sentence)]) == ("field_unreadable", field, sentence)


@pytest.mark.parametrize(
    ("kind", "data", "reason", "sentence"),
    [
        ("call.ended", {"disconnection_reason": []}, Reason.WRONG_TYPE, "`data.disconnection_reason` must be a non-em"),
        ("call.ended", {"disconnection_reason": ""}, Reason.OUT_OF_BOUNDS, "`data.disconnection_reason` must be a non"),
        ("call.dtmf", {"digits": [2, 7]}, Reason.WRONG_TYPE, "`data.digits` must be a non-empty string, got a list"),
        ("transcript.turn", {"content": 7.5}, Reason.WRONG_TYPE, "`data.content` must be a string, got a number"),
        ("transcript.turn", {"role": {}}, Reason.WRONG_TYPE, "`data.role` must be a non-empty string, got an object"),
        ("transcript.retracted", {"revision": 10**30}, Reason.OUT_OF_BOUNDS, "`data.revision` must be an integer, 0"),
        ("latency.sampled", {"component": "1st"}, Reason.OUT_OF_BOUNDS, "`data.component` must be a name of lower"),
        ("latency.sampled", {"component": "llm\n"}, Reason.OUT_OF_BOUNDS, "`data.component` must be a name of lower"),
        ("latency.sampled", {"component": "l" * 65}, Reason.OUT_OF_BOUNDS, "`data.component` must be a name of lower"),
        ("latency.sampled", {"value_ms": -0.1}, Reason.OUT_OF_BOUNDS, "`data.value_ms` must be milliseconds, a number"),
        ("latency.sampled", {"value_ms": 3_600_000.1}, Reason.OUT_OF_BOUNDS, "`data.value_ms` must be milliseconds"),
        ("latency.sampled", {"value_ms": "NaN"}, Reason.WRONG_TYPE, "`data.value_ms` must be milliseconds"),
        ("latency.sampled", {"value_ms": "1e400"}, Reason.WRONG_TYPE, "`data.value_ms` must be milliseconds"),
        ("usage.reported", {"quantity": -1}, Reason.OUT_OF_BOUNDS, f"`data.quantity` {AMOUNT}, not negative, got -1"),
        ("call.analyzed", {"analysis": "good"}, Reason.WRONG_TYPE, "`data.analysis` must be an object, got a string"),
    ],
)
def test_a_wrong_required_field_is_rejected(kind: str, data: Json, reason: Reason, sentence: str) -> None:
    why, detail = rejected(sent(kind, **data))

    assert (why, detail[: len(sentence)]) == (reason, sentence)


def test_each_wrong_field_is_a_problem_of_its_own_and_the_rest_is_read() -> None:
    read = accepted(sent("call.ended", duration_ms=-1, sip_code="x", ended_by="user"))

    assert read.data == {"disconnection_reason": "user_hangup", "ended_by": "user"}
    assert {problem.field for problem in read.problems} == {"duration_ms", "sip_code"}


def test_a_wrong_field_of_an_identifier_costs_that_alone() -> None:
    identifier = {"call_sid": 7.5, "conference_sid": "CF1"}

    read = accepted(sent("call.created", telephony_identifier=identifier))

    assert read.data == {"telephony_identifier": {"conference_sid": "CF1"}}
    assert [(problem.kind, problem.field) for problem in read.problems] == [
        ("field_unreadable", "telephony_identifier")
    ]


# Spellings that can mean only one thing


@pytest.mark.parametrize(
    ("kind", "field", "spelled", "value"),
    [
        ("call.created", "from_number", 15550100021, "15550100021"),
        ("call.created", "from_number", 10**30, f"1{'0' * 30}"),
        ("call.dtmf", "digits", 27, "27"),
        ("call.ended", "disconnection_reason", 16, "16"),
        ("call.ended", "sip_code", "486", 486),
        ("call.ended", "sip_code", 486.0, 486),
        ("call.ended", "sip_code", "4.86e2", 486),
        ("call.ended", "end_timestamp", str(STARTED), STARTED),
        ("call.ended", "end_timestamp", f"{STARTED}.9", STARTED),
        ("call.ended", "end_timestamp", STARTED + 0.9, STARTED),
        ("call.ended", "duration_ms", 12.9, 12),
        ("call.ended", "duration_ms", "12.9", 12),
        ("call.ended", "duration_ms", 2_592_000_000, 2_592_000_000),
        ("call.ended", "inferred", "False", False),
        ("transcript.turn", "final", "TRUE", True),
        ("transcript.turn", "turn_id", 3, "3"),
        ("transcript.turn", "content", 7, "7"),
        ("transcript.turn", "revision", "2", 2),
        ("transcript.turn", "confidence", "0.5", 0.5),
        ("transcript.retracted", "revision", 1.0, 1),
        ("latency.sampled", "value_ms", "120", 120),
        ("latency.sampled", "value_ms", "1.5e2", 150.0),
        ("latency.sampled", "component", "LLM.ttft", "llm_ttft"),
        ("latency.sampled", "component", "Knowledge Base", "knowledge_base"),
        ("latency.sampled", "component", "tts-first", "tts_first"),
    ],
)
def test_a_spelling_of_one_meaning_is_read_and_no_problem(kind: str, field: str, spelled: Any, value: Any) -> None:
    read = accepted(sent(kind, **{field: spelled}))

    assert (read.data[field], type(read.data[field]), read.problems) == (value, type(value), ())


@pytest.mark.parametrize("value", ["text", {"a": 1}, [], 7, False, 1.5])
def test_arguments_and_content_of_a_tool_may_be_any_json(value: Any) -> None:
    for kind, field in [("tool.called", "arguments"), ("tool.returned", "content")]:
        assert accepted(sent(kind, **{field: value})).data[field] == value


def test_the_id_of_a_tool_call_may_be_left_out() -> None:
    body = event("tool.called")
    del body["data"]["tool_call_id"]

    assert accepted(raw(body)).data == {"name": "find_order"}


# The safe side


def test_an_unreadable_leg_is_a_leg_all_the_same() -> None:
    one, other = ({"leg": 1, "of": [True]}, {"of": [True], "leg": 1})

    read = accepted(sent("call.started", leg_id=one))

    assert read.data["leg_id"] == "?a139916e7e5b3909"
    assert accepted(sent("call.ended", leg_id=other)).data["leg_id"] == read.data["leg_id"]
    assert [(problem.kind, problem.field) for problem in read.problems] == [("field_unreadable", "leg_id")]


@pytest.mark.parametrize("leg", [7, "7"])
def test_an_integer_is_a_leg(leg: Any) -> None:
    assert accepted(sent("call.started", leg_id=leg)).data["leg_id"] == "7"


@pytest.mark.parametrize("flag", ["yes", 1, 0, [], {}])
def test_an_unreadable_flag_of_consequence_is_true(flag: Any) -> None:
    assert accepted(sent("call.ended", inferred=flag)).data["inferred"] is True
    assert accepted(sent("call.dtmf", sensitive=flag)).data == {"sensitive": True}
    assert problems("call.ended", inferred=flag) == [("field_unreadable", "inferred")]
    assert problems("call.dtmf", sensitive=flag) == [("field_unreadable", "sensitive")]


# Free-form values


@pytest.mark.parametrize(
    ("kind", "field"),
    [
        ("call.created", "metadata"),
        ("transcript.turn", "metadata"),
        ("call.analyzed", "analysis"),
        ("tool.called", "arguments"),
        ("tool.returned", "content"),
        ("call.note", "data"),
    ],
)
def test_a_free_form_value_is_read_without_what_a_store_cannot_keep(kind: str, field: str) -> None:
    read = accepted(sent(kind, **{field: {"a": [{"b\0": 1, "c": 2**64}], "d\0": {}}}))

    assert read.data[field] == {"a": [{"c": "18446744073709551616"}]}
    assert [(problem.kind, problem.field) for problem in read.problems] == [
        ("key_left_out", field),
        ("number_as_text", field),
    ]


def test_so_is_the_data_of_an_unknown_type_with_a_problem_for_each_field() -> None:
    read = accepted(sent("x", a={"b\0": 1}, n=2**63, **{"c\0": 1}))

    assert read.data == {"a": {}, "n": "9223372036854775808"}
    assert [(problem.kind, problem.field) for problem in read.problems] == [
        ("key_left_out", "a"),
        ("number_as_text", "n"),
        ("key_left_out", None),
    ]


def test_what_is_ignored_is_no_problem() -> None:
    assert problems("call.created", ignored={"a\0": 2**64}) == []


# Words of a turn


def test_a_word_without_a_usable_word_is_left_out() -> None:
    words = [{"word": "a"}, {}, {"word": ""}, {"word": None}, {"word": []}, 7, "b", None, {"word": 8}]

    read = accepted(sent("transcript.turn", words=words))

    assert read.data["words"] == [{"word": "a"}, {"word": "8"}]
    assert [(problem.kind, problem.field) for problem in read.problems] == [("field_unreadable", "words")]


@pytest.mark.parametrize(
    ("moment", "looks_like"),
    [
        (1703097630.25, " (seconds?)"),
        ("1703097630", " (seconds?)"),
        (0, " (an offset into the audio?)"),
        (STARTED * 1_000_000, " (nanoseconds?)"),
        (-1, ""),
        ("soon", ""),
        ([], ""),
        (2**63, ""),
    ],
)
def test_a_time_of_a_word_that_is_none_is_left_out_and_says_what_it_looks_like(moment: Any, looks_like: str) -> None:
    read = accepted(sent("transcript.turn", words=[{"word": "a", "start": moment, "end": STARTED}]))

    assert read.data["words"] == [{"word": "a", "end": STARTED}]
    [problem] = read.problems
    assert (problem.kind, problem.field) == ("word_times_unreadable", "words")
    assert problem.detail.endswith(f"whose `start` is not Unix milliseconds in the years 2000 to 2100{looks_like}")


def test_a_fraction_of_a_timestamp_is_cut_off() -> None:
    word = {"word": "Hi", "start": STARTED + 0.999, "end": f"{STARTED}.5"}

    read = accepted(sent("transcript.turn", timestamp=STARTED + 0.5, words=[word]))

    assert read.data["timestamp"] == STARTED
    assert read.data["words"] == [{"word": "Hi", "start": STARTED, "end": STARTED}]


# Privacy


@pytest.mark.parametrize("kind", sorted(TYPES))
def test_no_sentence_shows_private_content(kind: str) -> None:
    for field in TYPES[kind].__annotations__:
        for private in ("+15551234567", {"a": "+15551234567"}, ["+15551234567"], "1" + "5551234567" * 30):
            read = decode(sent(kind, **{field: private}), arrival=LATEST_MS)

            details = [read.detail] if isinstance(read, InvalidEvent) else [each.detail for each in read.problems]
            assert not [detail for detail in details if "5551234567" in detail]


@pytest.mark.parametrize("field", ["from_number", "to_number", "metadata", "telephony_identifier", "recording_url"])
def test_no_sentence_shows_a_number_where_none_is_needed(field: str) -> None:
    for number in (15551234567.5, 15551234567, 10**30 + 15551234567):
        read = accepted(sent("call.created", **{field: number}))

        assert not [problem for problem in read.problems if "1555123456" in problem.detail]


# Redacted events


@pytest.mark.parametrize("kind", sorted(TYPES))
def test_a_redacted_event_may_lack_everything(kind: str) -> None:
    for data in ({}, None, {"role": [], "digits": [], "kind": "x", "cost": "x", "revision": -1}):
        read = decode_logged(raw(event(kind) | {"data": data}), redacted_at=STARTED)

        assert isinstance(read, Event)
        assert (read.data, read.redacted_at) == ({}, STARTED)


def test_a_redacted_event_keeps_what_it_has() -> None:
    data = {"component": "e2e", "value_ms": 1, "ignored": 2}

    read = decode_logged(raw(event("latency.sampled") | {"data": data}), redacted_at=STARTED)

    assert isinstance(read, Event)
    assert read.data == {"component": "e2e", "value_ms": 1}


@pytest.mark.parametrize("kind", sorted(TYPES))
def test_every_type_reads_its_own_fields_alone_and_the_flag_of_any(kind: str) -> None:
    read = accepted(sent(kind, **{OPT_OUT: True}))

    assert read.opts_out
    assert (OPT_OUT in read.data) == (OPT_OUT in TYPES[kind].__annotations__)
