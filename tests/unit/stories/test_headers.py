"""The headers that providers' clients write."""

from collections.abc import Sequence
from typing import Any

import orjson
import pytest

from shared.contract.decode_event import Event, InvalidEvent, decode
from tests.support.events.makers import STARTED, binary, event, raw
from tests.support.events.stories import LONG_AFTERWARDS

Headers = Sequence[tuple[str, bytes | None]]

BODY = event("call.started", direction="inbound")
VALUE, ATTRIBUTES = binary(BODY)


def read(value: bytes, headers: Headers) -> Event:
    found = decode(value, headers, arrival=LONG_AFTERWARDS)
    assert isinstance(found, Event), found
    return found


def refused(value: bytes, headers: Headers) -> str:
    found = decode(value, headers, arrival=LONG_AFTERWARDS)
    assert isinstance(found, InvalidEvent), found
    return found.detail


def with_prefix(prefix: str) -> Headers:
    return [(name.replace("ce_", prefix), value) for name, value in ATTRIBUTES]


@pytest.mark.parametrize(
    "more",
    [
        [],
        [("ce_datacontenttype", b"application/json")],
        [("content-type", b"application/json; charset=utf-8"), ("ce_dataschema", b"https://x/y")],
        [("ce_sequence", None), ("ce_datacontenttype", None)],
        [("x-trace", b"x" * 900_000)],
    ],
    ids=["plain", "content type of the data", "charset", "headers without a value", "a large header"],
)
def test_binary_mode_is_read_with_other_headers(more: Headers) -> None:
    found = read(VALUE, [*ATTRIBUTES, *more])

    assert (found.call_id, found.type, found.time, found.problems) == ("call-456", "call.started", STARTED, ())
    assert found.data == {"direction": "INBOUND"}


def test_a_sequence_in_a_header_keeps_its_zeros() -> None:
    assert read(VALUE, [*ATTRIBUTES, ("ce_sequence", b"00012")]).ordering_key.sequence == "00012"


@pytest.mark.parametrize("prefix", ["ce-", "CE_", "cloudEvents:"])
def test_headers_of_another_prefix_are_refused_by_name(prefix: str) -> None:
    detail = refused(VALUE, with_prefix(prefix))

    assert prefix in detail
    assert "ce_" in detail


def test_a_value_of_data_alone_under_the_content_type_of_a_whole_event_is_refused() -> None:
    assert "specversion" in refused(VALUE, [*ATTRIBUTES, ("content-type", b"application/cloudevents+json")])


def test_a_whole_event_is_read_by_its_content_type_whatever_ce_header_there_is() -> None:
    headers = [("content-type", b"application/cloudevents+json; charset=UTF-8"), ("ce_id", b"other")]

    assert read(raw(BODY), headers).ordering_key.id == BODY["id"]


def test_a_whole_event_is_read_where_no_header_is_an_attribute_of_it() -> None:
    assert read(raw(BODY), [("ce_tenant", b"x")]).ordering_key.id == BODY["id"]


def test_binary_mode_without_a_time_is_taken_at_its_arrival() -> None:
    found = read(VALUE, [(name, value) for name, value in ATTRIBUTES if name != "ce_time"])

    assert found.time == LONG_AFTERWARDS
    assert [problem.kind for problem in found.problems] == ["time_unreadable"]
    assert orjson.loads(found.raw)["producertime"] == ""


def test_a_producertime_that_a_producer_sends_is_removed() -> None:
    found = read(raw(BODY | {"producertime": "2099-01-01T00:00:00Z"}), [])

    assert "producertime" not in orjson.loads(found.raw)
    assert found.problems == ()


@pytest.mark.parametrize("version", ["1.0", 1.0, 1])
def test_the_version_may_be_a_number(version: Any) -> None:
    assert read(raw(BODY | {"specversion": version}), []).type == "call.started"
