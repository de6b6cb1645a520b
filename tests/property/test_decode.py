"""Decoding never raises, gives the same event in both modes, and accepts only what the published schema accepts."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from pydantic import TypeAdapter

from shared.contract.decode_event import Envelope, Event, InvalidEvent, canonical, decode
from shared.contract.payloads import TYPES
from tests.support.events.makers import Json, binary, event, raw
from tests.support.events.strategies import events

ENVELOPE = Draft202012Validator(TypeAdapter(Envelope).json_schema())
SCHEMAS = {kind: Draft202012Validator(TypeAdapter(model).json_schema()) for kind, model in TYPES.items()}
FIELDS = sorted({field for model in TYPES.values() for field in model.__annotations__} | {"call_sid", "word", "start"})

NUMBERS = st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.integers(10**12, 4 * 10**12)
TEXTS = st.text(max_size=5) | st.from_regex(r"-?[0-9]{1,10}(\.[0-9]{1,13})?", fullmatch=True)
ANYTHING = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(FIELDS), inner, max_size=4),
    max_leaves=8,
)
HEADERS = st.lists(
    st.tuples(
        st.sampled_from(["ce_id", "ce_type", "ce_time", "ce_data", "ce_foo", "content-type", "x"])
        | st.text(max_size=5),
        st.none() | st.binary(max_size=8) | st.sampled_from([b"1.0", b"application/cloudevents+json", b"text/plain"]),
    ),
    max_size=5,
)


@given(st.none() | st.binary(max_size=200), HEADERS)
def test_arbitrary_bytes_and_headers_never_raise(value: bytes | None, headers: list[tuple[str, bytes | None]]) -> None:
    assert isinstance(decode(value, headers), InvalidEvent)


@given(events(), st.data())
def test_a_damaged_event_never_raises(body: Json, data: st.DataObject) -> None:
    value = bytearray(raw(body))
    for _ in range(data.draw(st.integers(1, 3))):
        value[data.draw(st.integers(0, len(value) - 1))] = data.draw(st.integers(0, 255))

    assert isinstance(decode(bytes(value)), Event | InvalidEvent)


@given(st.sampled_from(sorted(Envelope.__annotations__)), ANYTHING)
def test_an_arbitrary_attribute_never_raises_and_fits_the_schema(attribute: str, value: Any) -> None:
    body = event("call.created") | {attribute: value}

    read = decode(raw(body))

    assert isinstance(read, InvalidEvent) or ENVELOPE.is_valid(body)


@given(st.sampled_from(sorted(TYPES)), ANYTHING, st.data())
def test_arbitrary_data_never_raises_and_fits_the_schema(kind: str, whole: Any, data: st.DataObject) -> None:
    body = event(kind)
    own = sorted(TYPES[kind].__annotations__)
    body["data"] |= data.draw(st.dictionaries(st.sampled_from(own), ANYTHING, max_size=3))
    body = data.draw(st.sampled_from([body, body, body, body | {"data": whole}]))

    read = decode(raw(body))

    assert isinstance(read, InvalidEvent) or SCHEMAS[kind].is_valid(body["data"] or {})


@given(events())
def test_both_modes_give_the_same_event(body: Json) -> None:
    structured, carried = decode(raw(body)), decode(*binary(body))

    assert isinstance(structured, Event)
    assert isinstance(carried, Event)
    assert carried._replace(raw=b"") == structured._replace(raw=b"")
    assert canonical(carried.raw) == canonical(structured.raw)
