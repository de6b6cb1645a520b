"""What providers' clients wrap around an event: read where it can mean only one thing, else refused by its name."""

import base64
import codecs
import gzip

import orjson
import pytest

from shared.contract.decode_event import Event, InvalidEvent, decode
from tests.support.events.makers import Json, event, raw, record
from tests.support.events.stories import LONG_AFTERWARDS

NOTE = event("call.note")
DATA = {"direction": "inbound", "from_number": "+1555", "opt_out_sensitive_data_storage": True}


def encoded(data: bytes, **attributes: str) -> Json:
    body = event("call.started")
    del body["data"]
    return body | {"data_base64": base64.b64encode(data).decode()} | attributes


def read(value: bytes) -> Event:
    found = decode(value, arrival=LONG_AFTERWARDS)
    assert isinstance(found, Event), found
    return found


def refused(value: bytes, *headers: tuple[str, bytes]) -> str:
    found = decode(value, headers, arrival=LONG_AFTERWARDS)
    assert isinstance(found, InvalidEvent), found
    return found.detail


@pytest.mark.parametrize(
    ("value", "name"),
    [
        (b"\0\0\0\0\x2a" + raw(NOTE), "schema registry"),
        (orjson.dumps([NOTE]), "batch"),
        (orjson.dumps(raw(NOTE).decode()), "text"),
        (orjson.dumps({"schema": {"type": "struct"}, "payload": NOTE}), "payload"),
        (gzip.compress(raw(NOTE), mtime=0), "gzip"),
    ],
    ids=["schema registry", "batch", "JSON within a text", "Kafka Connect", "gzip"],
)
def test_a_framing_is_refused_by_its_name(value: bytes, name: str) -> None:
    assert name in refused(value)


def test_a_batch_is_refused_by_its_name_whatever_its_content_type() -> None:
    assert "batch" in refused(orjson.dumps([NOTE, NOTE]), ("content-type", b"application/cloudevents-batch+json"))


def test_a_byte_order_mark_is_skipped() -> None:
    assert read(codecs.BOM_UTF8 + raw(NOTE)).data == {"event": "Said thanks"}


@pytest.mark.parametrize(
    "attributes",
    [
        {},
        {"datacontenttype": "application/json"},
        {"datacontenttype": "text/json"},
        {"datacontenttype": "application/vnd.example+json; charset=utf-8"},
    ],
)
def test_data_in_base64_is_read_as_json_and_its_opt_out_obeyed(attributes: Json) -> None:
    found = read(raw(encoded(orjson.dumps(DATA), **attributes)))

    assert found.data["direction"] == "INBOUND"
    assert found.opts_out


@pytest.mark.parametrize(
    "body",
    [
        encoded(b"\x00\x01 no JSON"),
        encoded(orjson.dumps(DATA), datacontenttype="application/protobuf"),
        encoded(orjson.dumps(DATA)) | {"data_base64": "*** no base64 ***"},
    ],
    ids=["no JSON", "another content type", "no base64"],
)
def test_data_in_base64_that_cannot_be_decoded_is_a_dead_letter_that_says_it(body: Json) -> None:
    assert "data_base64" in refused(raw(body))


def test_data_as_a_text_of_json_is_read_as_the_object() -> None:
    found = read(raw(event("call.started") | {"data": '{"direction":"inbound"}'}))

    assert found.data == {"direction": "INBOUND"}
    assert found.problems == ()


@pytest.mark.parametrize("data", [None, 7, "no JSON", [1], "[1]"])
def test_other_data_of_a_known_type_is_empty(data: object) -> None:
    assert read(raw(event("call.started") | {"data": data})).data == {}


@pytest.mark.parametrize("kind", ["com.example.call.ended.v1", "call.end"])
def test_a_type_that_resembles_a_known_one_is_a_line_of_the_timeline(kind: str) -> None:
    found = record(event("call.started"), event(kind, disconnection_reason="user_hangup"))

    assert found["call_status"] == "ONGOING"
    assert found["events"][1]["event"] == kind
    assert found["events"][1]["data"] == {"disconnection_reason": "user_hangup"}


def test_a_carriers_own_cloud_event_without_a_subject_is_refused_by_what_it_lacks() -> None:
    body = event("com.example.status-callback.call.answered", sid="CA01")
    del body["subject"]

    assert "subject" in refused(raw(body))
