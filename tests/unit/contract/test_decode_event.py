"""The envelope of an event, and its two modes."""

from typing import Any

import orjson
import pytest

from shared.contract.decode_event import Mode, mode
from shared.contract.rejection import Reason
from shared.contract.topics import MAX_EVENT_BYTES
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
        ("specversion", 1.0, Reason.NOT_CLOUDEVENTS, "`specversion` must be `1.0`, got 1.0"),
        ("specversion", None, Reason.NOT_CLOUDEVENTS, "`specversion` must be `1.0`, got null"),
        ("id", None, Reason.MISSING, "`id` is missing"),
        ("id", "", Reason.OUT_OF_BOUNDS, "`id` must be a string of 1 to 256 characters, got ''"),
        ("id", 7, Reason.WRONG_TYPE, "`id` must be a string of 1 to 256 characters, got 7"),
        ("source", "é" * 257, Reason.OUT_OF_BOUNDS, "`source` must be a string of 1 to 256 characters, got 'éé"),
        ("type", "", Reason.OUT_OF_BOUNDS, "`type` must be a non-empty string, got ''"),
        ("subject", "a/b", Reason.OUT_OF_BOUNDS, "`subject` must be a string of 1 to 256 characters without `/` and"),
        ("subject", "a\n", Reason.OUT_OF_BOUNDS, "`subject` must be a string of 1 to 256 characters without `/` and"),
        ("subject", "\x85", Reason.OUT_OF_BOUNDS, "`subject` must be a string of 1 to 256 characters without `/` and"),
        ("subject", "c" * 257, Reason.OUT_OF_BOUNDS, "`subject` must be a string of 1 to 256 characters without"),
        ("organizationid", "o" * 129, Reason.OUT_OF_BOUNDS, "`organizationid` must be a string of 1 to 128 characters"),
        ("organizationid", "\x00", Reason.OUT_OF_BOUNDS, "`organizationid` must be a string of 1 to 128 characters"),
        ("sequence", "1" * 33, Reason.OUT_OF_BOUNDS, "`sequence` must be a string or an integer of at most 32 char"),
        (
            "sequence",
            1.5,
            Reason.WRONG_TYPE,
            "`sequence` must be a string or an integer of at most 32 characters, got 1.5",
        ),
        (
            "sequence",
            True,
            Reason.WRONG_TYPE,
            "`sequence` must be a string or an integer of at most 32 characters, got a",
        ),
        ("traceparent", 1, Reason.WRONG_TYPE, "`traceparent` must be a string, got 1"),
        ("time", 1703097600000, Reason.WRONG_TYPE, "`time` must be an RFC 3339 time with a zone, got 1703097600000"),
    ],
)
def test_an_invalid_attribute_is_rejected_with_a_sentence(
    attribute: str, value: Any, reason: Reason, sentence: str
) -> None:
    why, detail = rejected(raw(event("call.created") | {attribute: value}))

    assert why is reason
    assert detail.startswith(sentence)


@pytest.mark.parametrize("attribute", ["specversion", "id", "source", "type", "subject", "time", "organizationid"])
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
        ("organizationid", "o" * 128),
        ("sequence", "s" * 32),
        ("sequence", -(2**63)),
        ("sequence", None),
        ("traceparent", None),
        ("type", "call.ended "),
    ],
)
def test_an_attribute_within_its_bounds_is_accepted(attribute: str, value: Any) -> None:
    accepted(raw(event("call.created") | {attribute: value}))


@pytest.mark.parametrize(
    ("text", "milliseconds"),
    [
        ("2023-12-20T18:40:30Z", STARTED),
        ("2023-12-20t18:40:30.000z", STARTED),
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


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("2023-12-20T18:40:30", "`time` has no zone"),
        ("2023-12-20 18:40:30Z", "`time` is not an RFC 3339 time"),
        ("2023-12-20T18:40Z", "`time` is not an RFC 3339 time"),
        ("2023-12-20T18:40:30.Z", "`time` is not an RFC 3339 time"),
        ("2023-12-20T18:40:30,5Z", "`time` is not an RFC 3339 time"),
        ("2023-12-20T18:40:30+0100", "`time` is not an RFC 3339 time"),
        ("2023-12-20T18:40:30Z\n", "`time` is not an RFC 3339 time"),
        ("²023-12-20T18:40:30Z", "`time` is not an RFC 3339 time"),
        ("20٢3-12-20T18:40:30Z", "`time` is not an RFC 3339 time"),
        ("1703097600000", "`time` is not an RFC 3339 time"),
        ("", "`time` is not an RFC 3339 time"),
        ("2023-02-29T18:40:30Z", "`time` names a day that does not exist"),
        ("0000-01-01T00:00:00Z", "`time` names a day that does not exist"),
        ("2023-12-20T24:00:00Z", "`time` is not a time of day"),
        ("2023-12-20T18:40:30+24:00", "`time` is not a time of day"),
        ("0001-01-01T00:00:00+14:00", "`time` is outside the years 2000 to 2100"),
        ("9999-12-31T23:59:59-14:00", "`time` is outside the years 2000 to 2100"),
        ("1999-12-31T23:59:59.999Z", "`time` is outside the years 2000 to 2100"),
        ("2000-01-01T00:00:00+00:01", "`time` is outside the years 2000 to 2100"),
        ("2101-01-01T00:00:00Z", "`time` is outside the years 2000 to 2100"),
    ],
)
def test_an_invalid_time_is_rejected(text: str, sentence: str) -> None:
    reason, detail = rejected(raw(event("call.created") | {"time": text}))

    assert reason is Reason.INVALID_TIME
    assert detail.startswith(sentence)


def test_a_value_of_one_mebibyte_is_accepted_and_a_byte_more_rejected() -> None:
    whole = raw(event("x")).ljust(MAX_EVENT_BYTES)

    accepted(whole)

    assert MAX_EVENT_BYTES == 2**20
    assert rejected(whole + b" ") == (Reason.TOO_LARGE, "the value has 1048577 bytes, the limit is 1048576")


def test_in_binary_mode_only_the_value_counts_towards_the_size() -> None:
    data, headers = binary(event("x"))

    accepted(data.ljust(MAX_EVENT_BYTES), *headers)

    assert rejected(data.ljust(MAX_EVENT_BYTES + 1), *headers)[0] is Reason.TOO_LARGE


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


@pytest.mark.parametrize("data", [{"a": 1}, [1], "text", 7, None])
def test_an_unknown_type_keeps_its_data_unchanged(data: Any) -> None:
    body: Json = event("sentiment.guessed") | {"data": data}

    assert accepted(raw(body)).data == data
