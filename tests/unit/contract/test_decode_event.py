"""The envelope of an event, and its two modes."""

import json
from base64 import b64encode
from typing import Any

import orjson
import pytest

from shared.contract.decode_event import Mode, is_tombstone, mode
from shared.contract.rejection import Reason
from shared.contract.topics import MAX_EVENT_BYTES, MAX_STRUCTURED_BYTES
from shared.store.packed_log import pack, unpack
from tests.support.events.makers import STARTED, Json, accepted, binary, event, raw, rejected


def test_an_event_has_the_values_of_its_attributes() -> None:
    body = event("call.dtmf", id="1", sequence=3, at=STARTED) | {"traceparent": "00-ab-cd-01", "another": [1]}

    read = accepted(raw(body))

    assert (read.organization_id, read.call_id, read.type, read.time) == ("org-789", "call-456", "call.dtmf", STARTED)
    assert read.identity == ("/twilio/AC0001", "1")
    assert (read.ordering_key.sequence, read.data, read.opts_out) == ("3", {"digits": "27"}, False)
    assert read.raw == raw(body)


@pytest.mark.parametrize(
    ("attribute", "value", "reason", "sentence"),
    [
        ("specversion", "0.3", Reason.NOT_CLOUDEVENTS, "`specversion` must be `1.0`, got '0.3'"),
        ("specversion", 1.1, Reason.NOT_CLOUDEVENTS, "`specversion` must be `1.0`, got 1.1"),
        ("specversion", True, Reason.NOT_CLOUDEVENTS, "`specversion` must be `1.0`, got a boolean"),
        ("specversion", None, Reason.NOT_CLOUDEVENTS, "`specversion` must be `1.0`, got null"),
        ("id", None, Reason.MISSING, "`id` is missing"),
        ("id", "", Reason.OUT_OF_BOUNDS, "`id` must be a string of 1 to 256 characters, got ''"),
        ("id", 7.5, Reason.WRONG_TYPE, "`id` must be a string of 1 to 256 characters, got 7.5"),
        (
            "id",
            10**300,
            Reason.OUT_OF_BOUNDS,
            "`id` must be a string of 1 to 256 characters, got a number of 301 digits",
        ),
        ("source", "é" * 257, Reason.OUT_OF_BOUNDS, "`source` must be a string of 1 to 256 characters, got 'éé"),
        ("source", ["a"], Reason.WRONG_TYPE, "`source` must be a string of 1 to 256 characters, got a list"),
        ("type", "", Reason.OUT_OF_BOUNDS, "`type` must be a string of 1 to 256 characters without control char"),
        ("type", "call.\x00", Reason.OUT_OF_BOUNDS, "`type` must be a string of 1 to 256 characters without control"),
        ("type", "t" * 257, Reason.OUT_OF_BOUNDS, "`type` must be a string of 1 to 256 characters without control"),
        ("type", {"a": 1}, Reason.WRONG_TYPE, "`type` must be a string of 1 to 256 characters without control"),
        ("subject", ".", Reason.OUT_OF_BOUNDS, "`subject` must be a string of 1 to 256 characters without control"),
        ("subject", "..", Reason.OUT_OF_BOUNDS, "`subject` must be a string of 1 to 256 characters without control"),
        ("subject", "a\n", Reason.OUT_OF_BOUNDS, "`subject` must be a string of 1 to 256 characters without control"),
        ("subject", "\x85", Reason.OUT_OF_BOUNDS, "`subject` must be a string of 1 to 256 characters without control"),
        ("subject", "c" * 257, Reason.OUT_OF_BOUNDS, "`subject` must be a string of 1 to 256 characters without"),
        ("organizationid", "a/b", Reason.OUT_OF_BOUNDS, "`organizationid` must be a string of 1 to 128 characters"),
        ("organizationid", "o" * 129, Reason.OUT_OF_BOUNDS, "`organizationid` must be a string of 1 to 128 characters"),
        ("organizationid", "\x00", Reason.OUT_OF_BOUNDS, "`organizationid` must be a string of 1 to 128 characters"),
    ],
)
def test_an_invalid_attribute_is_rejected_with_a_sentence(
    attribute: str, value: Any, reason: Reason, sentence: str
) -> None:
    why, detail = rejected(raw(event("call.created") | {attribute: value}))

    assert why is reason
    assert detail.startswith(sentence)


@pytest.mark.parametrize("attribute", ["specversion", "id", "source", "type", "subject", "organizationid"])
def test_a_missing_attribute_is_rejected(attribute: str) -> None:
    body = event("call.created")
    del body[attribute]

    reason, detail = rejected(raw(body))

    assert reason in (Reason.MISSING, Reason.NOT_CLOUDEVENTS)
    assert f"`{attribute}`" in detail


@pytest.mark.parametrize(
    ("attribute", "value"),
    [
        ("id", "é" * 256),
        ("subject", "a b:c?#" + "😀" * 249),
        ("subject", "a/b"),
        ("subject", "%2F"),
        ("subject", "..."),
        ("subject", ".a"),
        ("subject", "a."),
        ("subject", "/"),
        ("organizationid", "o" * 128),
        ("sequence", "s" * 32),
        ("sequence", -(2**63)),
        ("sequence", None),
        ("sequence", ""),
        ("traceparent", None),
        ("traceparent", 1),
        ("type", "call.ended "),
        ("type", "com.example/call.ended"),
    ],
)
def test_an_attribute_within_its_bounds_is_accepted(attribute: str, value: Any) -> None:
    assert accepted(raw(event("call.created") | {attribute: value})).problems == ()


@pytest.mark.parametrize("specversion", ["1.0", 1.0, 1])
def test_the_version_may_be_a_number(specversion: Any) -> None:
    assert accepted(raw(event("call.created") | {"specversion": specversion})).problems == ()


@pytest.mark.parametrize("number", [0, 7, -1, 10**40])
def test_an_integer_is_read_where_an_attribute_is_a_text(number: int) -> None:
    names = ("id", "source", "type", "subject", "organizationid")

    read = accepted(raw(event("x") | dict.fromkeys(names, number)))

    assert (*read.identity, read.type, read.call_id, read.organization_id) == (str(number),) * 5
    assert read.problems == ()


@pytest.mark.parametrize(
    ("sent", "read"), [(None, ""), ("", ""), (3, "3"), (3.0, "3"), ("03", "03"), (10**31, f"1{'0' * 31}")]
)
def test_a_sequence_is_a_text_or_an_integer(sent: Any, read: str) -> None:
    key = accepted(raw(event("x") | {"sequence": sent})).ordering_key

    assert (key.sequence_length, key.sequence) == (len(read), read)


@pytest.mark.parametrize("sent", ["1" * 33, 10**32, 1.5, True, [], {}])
def test_an_unusable_sequence_is_left_out_and_a_problem_of_the_envelope(sent: Any) -> None:
    read = accepted(raw(event("x") | {"sequence": sent}))

    assert read.ordering_key.sequence == ""
    assert [(problem.kind, problem.field) for problem in read.problems] == [("field_unreadable", None)]


def test_of_two_ids_and_of_two_sequences_the_shorter_is_earlier() -> None:
    def key(**attributes: str) -> Any:
        return accepted(raw(event("x", id="t1", at=STARTED) | attributes)).ordering_key

    assert key(id="t2") < key(id="t10")
    assert key(sequence="9") < key(sequence="10") < key(sequence="10", id="t2")


@pytest.mark.parametrize(
    ("text", "milliseconds"),
    [
        ("2023-12-20T18:40:30Z", STARTED),
        ("2023-12-20t18:40:30.000z", STARTED),
        ("2023-12-20 18:40:30Z", STARTED),
        ("2023-12-20 18:40:30.000000Z", STARTED),
        ("2023-12-20T18:40:30.1239999999999Z", STARTED + 123),
        ("2023-12-20T18:40:30.1Z", STARTED + 100),
        ("2023-12-20T19:40:30+01:00", STARTED),
        ("2023-12-20T13:10:30-05:30", STARTED),
        ("2023-12-20T18:39:60Z", STARTED - 30_000),
        ("2000-01-01T00:00:00Z", 946_684_800_000),
        ("2100-12-31T23:59:59.999Z", 4_133_980_799_999),
        ("2101-01-01T00:00:00+00:01", 4_133_980_740_000),
    ],
)
def test_a_time_is_kept_to_the_millisecond(text: str, milliseconds: int) -> None:
    assert accepted(raw(event("call.created") | {"time": text})).time == milliseconds


def test_a_value_of_one_mebibyte_is_accepted_and_a_byte_more_rejected() -> None:
    whole = raw(event("x")).ljust(MAX_EVENT_BYTES)

    accepted(whole)

    assert MAX_EVENT_BYTES == 2**20
    assert rejected(whole + b" ") == (Reason.TOO_LARGE, "the value has 1048577 bytes, the limit is 1048576")


def test_in_binary_mode_only_the_value_counts_towards_the_size() -> None:
    data, headers = binary(event("x"))

    accepted(data.ljust(MAX_EVENT_BYTES), *headers)

    assert rejected(data.ljust(MAX_EVENT_BYTES + 1), *headers)[0] is Reason.TOO_LARGE


def test_in_binary_mode_an_event_has_at_most_four_mebibytes_with_its_headers() -> None:
    data, headers = binary(event("x"))
    rest = len(accepted(data, *headers, ("ce_traceparent", b"")).raw)
    longest = b"-" * (MAX_STRUCTURED_BYTES - rest)

    whole = accepted(data, *headers, ("ce_traceparent", longest))

    assert len(whole.raw) == MAX_STRUCTURED_BYTES == 2**22
    assert unpack(pack([whole.raw])) == (whole.raw,)
    reason, detail = rejected(data, *headers, ("ce_traceparent", longest + b"-"))
    assert (reason, detail) == (
        Reason.TOO_LARGE,
        "the event with its headers has 4194305 bytes, the limit is 4194304",
    )


def test_what_an_unreadable_time_takes_in_the_log_can_be_read_back() -> None:
    data, headers = binary(event("x") | {"time": "é" * (MAX_STRUCTURED_BYTES // 2 - 500)})

    longest = accepted(data, *headers).raw

    assert len(longest) > 2 * MAX_STRUCTURED_BYTES
    assert unpack(pack([longest])) == (longest,)


@pytest.mark.parametrize(
    ("headers", "found"),
    [
        ([], Mode.STRUCTURED),
        ([("content-type", b"application/json")], Mode.STRUCTURED),
        ([("ce_id", b"1")], Mode.BINARY),
        ([("content-type", b"application/json"), ("ce_id", b"1")], Mode.BINARY),
        ([("ce_id", b"1"), ("content-type", b"application/cloudevents+json; charset=utf-8")], Mode.STRUCTURED),
        ([("ce_id", b"1"), ("Content-Type", b"Application/CloudEvents+JSON")], Mode.STRUCTURED),
        ([("content-type", None), ("ce_id", None)], Mode.BINARY),
        ([("ce_tenant", b"1")], Mode.STRUCTURED),
    ],
)
def test_the_content_type_decides_the_mode(headers: list[tuple[str, bytes | None]], found: Mode) -> None:
    assert mode(headers) is found


def test_in_binary_mode_the_attributes_are_headers_and_the_data_is_the_value() -> None:
    body = event("call.dtmf", sequence="3") | {"traceparent": "00-ab-cd-01"}
    value, headers = binary(body)

    read = accepted(value, *headers, ("ce_another", b"\xc3\xa9"), ("ce_data", b"7"))

    assert orjson.loads(read.raw) == body


def test_binary_mode_without_a_value_has_no_data() -> None:
    _, headers = binary(event("call.created"))

    assert accepted(None, *headers).data == {}
    assert rejected(b"", *binary(event("call.dtmf"))[1]) == (Reason.MISSING, "`data.digits` is missing")


@pytest.mark.parametrize(
    "value", [b'{}, "subject": "x"', b'{}}, {"subject": "x"', b'{} , "data": {}', b"{}}", b" ", b'{"a": 1'.ljust(9)]
)
def test_the_value_in_binary_mode_cannot_become_part_of_the_envelope(value: bytes) -> None:
    _, headers = binary(event("call.created"))

    assert rejected(value, *headers)[0] is Reason.NOT_JSON


def test_the_limit_of_nesting_is_the_same_in_both_modes() -> None:
    _, headers = binary(event("x"))

    accepted(b"[" * 63 + b"]" * 63, *headers)

    assert rejected(b"[" * 64 + b"]" * 64, *headers)[0] is Reason.TOO_DEEP


def test_an_attribute_header_that_is_not_utf_8_is_rejected() -> None:
    value, headers = binary(event("call.created"))

    assert rejected(value, *headers, ("ce_subject", b"\xff")) == (Reason.WRONG_TYPE, "a `ce_` header is not UTF-8")


def test_binary_mode_without_attributes_is_not_a_cloudevent() -> None:
    assert rejected(b"{}", ("ce_another", b"1"))[0] is Reason.NOT_CLOUDEVENTS


def test_structured_mode_ignores_attribute_headers() -> None:
    read = accepted(raw(event("call.created")), ("ce_subject", b"x"), ("content-type", b"application/cloudevents+json"))

    assert read.call_id == "call-456"


def test_a_record_without_a_value_is_a_tombstone_but_in_binary_mode() -> None:
    assert is_tombstone(None, [])
    assert is_tombstone(None, [("content-type", b"application/cloudevents+json"), ("ce_id", b"1")])
    assert not is_tombstone(None, binary(event("call.created"))[1])
    assert not is_tombstone(b"", [])


def test_in_binary_mode_a_byte_order_mark_is_skipped_and_half_a_character_replaced() -> None:
    _, headers = binary(event("call.created"))

    read = accepted(b"\xef\xbb\xbf" + rb'{"agent_id": "\ud800"}', *headers, ("ce_source", b"/\xed\xa0\x80"))

    assert (read.data, read.ordering_key.source) == ({"agent_id": "\ufffd"}, "/\ufffd")
    assert [(problem.kind, problem.field) for problem in read.problems] == [
        ("surrogate_replaced", None),
        ("surrogate_replaced", "agent_id"),
    ]


def test_data_in_base64_is_read_where_there_is_no_data() -> None:
    encoded = b64encode(b'{"direction": "inbound", "opt_out_sensitive_data_storage": true}').decode()
    body = event("call.started") | {"data_base64": encoded, "datacontenttype": "application/json; charset=utf-8"}

    read = accepted(raw(body | {"data": None}))

    assert read.data == {"direction": "INBOUND", "opt_out_sensitive_data_storage": True}
    assert (read.opts_out, read.raw, read.problems) == (True, raw(body | {"data": None}), ())
    assert accepted(raw(body | {"data": {}})).data == {}


@pytest.mark.parametrize("named", [None, "", "text/json", "application/vnd.api+JSON"])
def test_base64_is_json_by_each_name_of_json(named: str | None) -> None:
    body = event("x") | {"data": None, "data_base64": "WzFd", "datacontenttype": named}

    assert accepted(raw(body)).data == [1]


@pytest.mark.parametrize(
    ("encoded", "more", "reason"),
    [
        ("?", {}, Reason.NOT_BASE64),
        ("WzF", {}, Reason.NOT_BASE64),
        (7, {}, Reason.NOT_BASE64),
        ("WzE=", {}, Reason.NOT_JSON),
        ("/w==", {}, Reason.NOT_JSON),
        (b64encode(b"[" * 64 + b"]" * 64).decode(), {}, Reason.TOO_DEEP),
        ("WzFd", {"datacontenttype": "image/png"}, Reason.WRONG_TYPE),
    ],
)
def test_base64_that_cannot_be_decoded_is_rejected(encoded: Any, more: Json, reason: Reason) -> None:
    why, detail = rejected(raw(event("x") | {"data": None, "data_base64": encoded} | more))

    assert why is reason
    assert "`data_base64`" in detail or why is Reason.TOO_DEEP


@pytest.mark.parametrize("kind", ["call.started", "x"])
def test_a_text_that_holds_an_object_is_read_as_that_object(kind: str) -> None:
    text = json.dumps({"direction": "INBOUND", "opt_out_sensitive_data_storage": True})

    read = accepted(raw(event(kind) | {"data": text}))

    assert read.data == json.loads(text)
    assert (read.opts_out, read.problems) == (True, ())


@pytest.mark.parametrize("data", [[], "text", "{", "[1]", '"{}"', 7, True, 10**30, "{" * 70, f"{'[' * 64}{']' * 64}"])
def test_other_data_of_a_known_type_is_read_as_an_empty_object(data: Any) -> None:
    read = accepted(raw(event("call.created") | {"data": data}))

    assert read.data == {}
    assert [(problem.kind, problem.field) for problem in read.problems] == [("field_unreadable", None)]


@pytest.mark.parametrize("data", [[], "text", 7, True])
def test_it_is_rejected_where_the_type_requires_a_field(data: Any) -> None:
    reason, sentence = rejected(raw(event("call.ended") | {"data": data}))

    assert reason is Reason.WRONG_TYPE
    assert sentence.startswith("`data` must be an object, got a")


@pytest.mark.parametrize("data", [{"a": 1}, [1], "text", 7, None])
def test_an_unknown_type_keeps_its_data_unchanged(data: Any) -> None:
    body: Json = event("sentiment.guessed") | {"data": data}

    assert accepted(raw(body)).data == data
