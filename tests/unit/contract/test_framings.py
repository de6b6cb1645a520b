"""What a dead letter says of the usual framings."""

import gzip
import json

import pytest

from shared.contract.rejection import Reason
from tests.support.events.makers import binary, event, raw, rejected

BODY = event("call.note")


@pytest.mark.parametrize("prefix", ["ce-", "Ce-", "CE_", "cloudEvents:", "cloudEvents_"])
def test_headers_with_another_prefix_are_named(prefix: str) -> None:
    value, headers = binary(BODY)

    reason, detail = rejected(value, *((name.replace("ce_", prefix), text) for name, text in headers))

    assert reason is Reason.NOT_CLOUDEVENTS
    assert prefix.rstrip(":-_").lower() in detail.lower()
    assert "the prefix is `ce_`" in detail


def test_attributes_in_headers_beside_the_content_type_of_structured_mode_are_named() -> None:
    value, headers = binary(BODY)

    assert "structured mode" in rejected(value, *headers, ("content-type", b"application/cloudevents+json"))[1]


@pytest.mark.parametrize(
    ("value", "named"),
    [
        (b"\x00\x00\x00\x00\x2a" + raw(BODY), "a schema registry's framing"),
        (gzip.compress(raw(BODY), mtime=0), "gzip (1f 8b)"),
        (raw([BODY, BODY]), "a batch"),  # type: ignore[arg-type]
        (json.dumps(json.dumps(BODY)).encode(), "JSON within a JSON text"),
        (raw({"schema": {"type": "struct"}, "payload": BODY}), "an envelope of Kafka Connect or Debezium"),
    ],
)
def test_a_framing_is_named(value: bytes, named: str) -> None:
    assert named in rejected(value)[1]


AVRO = b"\x00\x00\x00\x00\x2a\x08flu"


@pytest.mark.parametrize(
    ("value", "named"), [(AVRO, "schema registry"), (gzip.compress(b"{}", mtime=0), "gzip (1f 8b)")]
)
def test_a_framing_is_named_in_binary_mode_too(value: bytes, named: str) -> None:
    _, headers = binary(BODY)

    reason, detail = rejected(value, *headers)

    assert reason is Reason.NOT_JSON
    assert named in detail
    assert "structured" not in detail


@pytest.mark.parametrize("value", [AVRO, AVRO[5:], b""])
def test_headers_with_another_prefix_are_named_whatever_the_value_is(value: bytes) -> None:
    _, headers = binary(BODY)

    detail = rejected(value, *((name.replace("ce_", "ce-"), text) for name, text in headers))[1]

    assert "the prefix is `ce_`" in detail


def test_data_of_binary_mode_is_no_batch() -> None:
    _, headers = binary(BODY)

    detail = rejected(b"[]", *(header for header in headers if header[0] != "ce_specversion"))[1]

    assert detail == "`specversion` must be `1.0`, but is missing"


def test_anything_else_is_not() -> None:
    assert rejected(b"[}")[1].startswith("the value is not JSON: ")
    assert rejected(b"{}", ("x-trace", b"1"))[1] == "`specversion` must be `1.0`, but is missing"
