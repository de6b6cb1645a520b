"""Decoding never raises, gives the same event in both modes and from the log, and accepts what the schema accepts."""

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from pydantic import TypeAdapter

from shared.contract.decode_event import (
    Envelope,
    Event,
    InvalidEvent,
    canonical,
    decode,
    decode_logged,
    is_tombstone,
    producer_time,
)
from shared.contract.hints import unknown_fields
from shared.contract.lenient import read_event
from shared.contract.payloads import TYPES
from shared.contract.strict_json import INT64
from shared.contract.timestamps import EARLIEST_MS, LATEST_MS
from tests.support.events.makers import STARTED, Json, binary, event, raw
from tests.support.events.odd_events import ANYTHING, odd_events, same
from tests.support.events.strategies import events

ENVELOPE = Draft202012Validator(TypeAdapter(Envelope).json_schema())
SCHEMAS = {kind: Draft202012Validator(TypeAdapter(model).json_schema()) for kind, model in TYPES.items()}
ARRIVALS = st.sampled_from([-1, 0, STARTED - 3_600_001, STARTED, LATEST_MS, 2**62])
HEADERS = st.lists(
    st.tuples(
        st.sampled_from(["ce_id", "ce_type", "ce_time", "ce_data", "ce_foo", "content-type", "x"])
        | st.text(max_size=5),
        st.none() | st.binary(max_size=8) | st.sampled_from([b"1.0", b"application/cloudevents+json", b"text/plain"]),
    ),
    max_size=5,
)


def texts(value: Any) -> Iterator[str]:
    """Yield each text in a value, keys too, at any depth."""
    match value:
        case str():
            yield value
        case dict():
            yield from (text for pair in value.items() for inner in pair for text in texts(inner))
        case list() | tuple():
            yield from (text for inner in value for text in texts(inner))


@given(st.none() | st.binary(max_size=200), HEADERS, ARRIVALS)
def test_arbitrary_bytes_and_headers_never_raise(
    value: bytes | None, headers: list[tuple[str, bytes | None]], arrival: int
) -> None:
    assert isinstance(decode(value, headers, arrival=arrival), InvalidEvent)
    assert isinstance(is_tombstone(value, headers), bool)


@given(events(), ARRIVALS, st.data())
def test_a_damaged_event_never_raises(body: Json, arrival: int, data: st.DataObject) -> None:
    value = bytearray(raw(body))
    for _ in range(data.draw(st.integers(1, 3))):
        value[data.draw(st.integers(0, len(value) - 1))] = data.draw(st.integers(0, 255))

    read = decode(bytes(value), arrival=arrival)

    assert isinstance(read, InvalidEvent) or same(decode_logged(read.raw), read)


@given(odd_events(), ARRIVALS)
@example(raw(event("x", time=1) | {"time": "x", "data": [1]}), 0)
@example(raw({"first": 10**400} | event("x") | {"subject": "c\ud83d", "data": {"a\ud83d": "b\ud83d"}}), STARTED)
def test_the_log_gives_the_same_event_with_the_same_problems(value: bytes, arrival: int) -> None:
    read = decode(value, arrival=arrival)
    event_of = read.opt_out if isinstance(read, InvalidEvent) else read
    if event_of is None:
        return

    again = decode_logged(event_of.raw)

    assert same(again, event_of)
    assert all(text.encode() for text in texts(event_of) if text)
    assert EARLIEST_MS <= event_of.time < LATEST_MS
    assert len({problem[:2] for problem in event_of.problems}) == len(event_of.problems)
    assert canonical(event_of.raw).decode()
    assert (producer_time(event_of.raw) is None) == (not {"time_ahead", "time_unreadable"} & _of_envelope(event_of))
    unknown_fields(event_of.raw)


def _of_envelope(read: Event) -> set[str]:
    return {problem.kind for problem in read.problems if problem.field is None}


@given(odd_events())
def test_it_is_the_same_event_when_it_is_sent_again_as_the_log_has_it(value: bytes) -> None:
    read = decode(value, arrival=LATEST_MS)
    if isinstance(read, Event) and producer_time(read.raw) is None:
        assert same(decode(read.raw, arrival=LATEST_MS), read)


@given(events(opt_out=True) | odd_events())
def test_the_strict_and_the_careful_reading_agree(body: Json | bytes) -> None:
    value = body if isinstance(body, bytes) else raw(body)

    read, carefully = decode(value, arrival=LATEST_MS), read_event.read_sent(value, LATEST_MS)

    assert same(read, carefully)


@given(events(), st.sampled_from([0, STARTED]))
def test_so_they_do_on_events_of_the_log(body: Json, redacted_at: int) -> None:
    assert same(decode_logged(raw(body), redacted_at), read_event.read_logged(raw(body), redacted_at))


@given(st.sampled_from(sorted(Envelope.__annotations__.keys() - {"data", "time"})), ANYTHING)
@example("sequence", -(10**31))
def test_what_fits_the_schema_of_the_envelope_is_accepted_without_problems(attribute: str, value: Any) -> None:
    body = event("call.created") | {attribute: value}

    read = decode(raw(body), arrival=LATEST_MS)

    too_long = isinstance(value, int) and value not in INT64  # the published schemas bound integers
    if ENVELOPE.is_valid(body) and not too_long and "\\ud" not in raw(body).decode():
        assert isinstance(read, Event)
        assert not read.problems


@given(st.sampled_from(sorted(TYPES)), st.data())
def test_so_is_what_fits_the_schema_of_its_type_but_for_what_no_schema_can_say(kind: str, data: st.DataObject) -> None:
    body = event(kind, at=STARTED)
    own = sorted(TYPES[kind].__annotations__)
    body["data"] |= data.draw(st.dictionaries(st.sampled_from(own), ANYTHING, max_size=3))

    read = decode(raw(body), arrival=LATEST_MS)

    if SCHEMAS[kind].is_valid(body["data"]):
        beyond = {"time_ahead", "surrogate_replaced", "key_left_out", "number_as_text", "field_unreadable"}
        assert isinstance(read, Event) or "must not be negative" in read.detail or _wide(body["data"])
        assert not isinstance(read, Event) or {problem.kind for problem in read.problems} <= beyond


def _wide(value: Any) -> bool:
    """Return whether an integer is beyond 64 bits, or an amount has more digits than a double."""
    match value:
        case dict():
            return any(map(_wide, value.values()))
        case list():
            return any(map(_wide, value))
        case int():
            return abs(value) >= 2**63 - 1
        case _:
            return False


@given(events())
def test_both_modes_give_the_same_event(body: Json) -> None:
    structured, (value, headers) = decode(raw(body), arrival=LATEST_MS), binary(body)

    carried = decode(value, headers, arrival=LATEST_MS)

    if isinstance(structured, InvalidEvent) or isinstance(carried, InvalidEvent):
        assert same(carried, structured)
        return
    assert same(carried._replace(raw=b""), structured._replace(raw=b""))
    assert canonical(carried.raw) == canonical(structured.raw)


@pytest.mark.parametrize("kind", sorted(TYPES))
def test_the_strict_pass_reads_the_usual_event(kind: str) -> None:
    """Or nobody would notice that every event is read twice."""
    from shared.contract.decode_event import _strict  # noqa: PLC0415

    assert isinstance(_strict(b"", event(kind), LATEST_MS, 0), Event)
