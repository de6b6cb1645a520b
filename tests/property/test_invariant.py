"""The invariant: the record depends on the set of distinct valid events, and on nothing else."""

import random
from collections.abc import Iterable
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.contract.decode_event import Event, InvalidEvent, decode_logged
from shared.fold.call_details import call_details
from shared.fold.fold import Folded, fold
from shared.fold.redaction import redact
from tests.support.events.makers import Json, book, raw
from tests.support.events.strategies import (
    PRICE_LISTS,
    SECRET,
    TOPICS,
    TYPES,
    calls,
    calls_without_conflicts,
    conflicting_versions,
)
from tests.support.reference.cost import Book
from tests.support.reference.details import reference_details
from tests.support.reference.fold import reference_fold

BOOK, REFERENCE_BOOK = book(*PRICE_LISTS), Book(PRICE_LISTS)


def read(bodies: Iterable[Json]) -> list[Event]:
    """Return the events as they are read from the log."""
    events = [decode_logged(raw(body)) for body in bodies]
    assert all(isinstance(event, Event) for event in events)
    return [event for event in events if isinstance(event, Event)]


def dumped(events: list[Event]) -> bytes:
    """Return record, details and problems as JSON."""
    folded = fold(events, BOOK)
    return orjson.dumps([folded.record, sorted(folded.problems.items()), call_details(events, BOOK)])


def folded_record(events: list[Event]) -> Any:
    return as_json(orjson.loads(orjson.dumps(fold(events, BOOK).record)))


def folded_details(events: list[Event]) -> Any:
    """Return the details as JSON, their problems without the sentence."""
    details = orjson.loads(orjson.dumps(call_details(events, BOOK)))
    for problem in details["problems"]:
        del problem["detail"]
    return as_json(details)


def as_json(value: Any) -> Any:
    """Return the value as in JSON: integers and floats are equal, but true is not 1."""
    match value:
        case bool():
            return ("bool", value)
        case dict():
            return {key: as_json(inner) for key, inner in value.items()}
        case list():
            return [as_json(inner) for inner in value]
        case _:
            return value


def respelled(value: Any) -> Any:
    match value:
        case dict():
            return {key: respelled(inner) for key, inner in reversed(value.items())}
        case list():
            return [respelled(inner) for inner in value]
        case _:
            return value


def redacted(event: Event, at: int) -> Event:
    left = decode_logged(redact(event.raw), redacted_at=at)
    assert not isinstance(left, InvalidEvent)
    return left


@pytest.mark.parametrize("opt_out", [False, True])
@pytest.mark.parametrize("types", [TYPES, *TOPICS.values()], ids=["all", *TOPICS])
@given(data=st.data())
def test_the_fold_is_the_reference_fold(types: tuple[str, ...], opt_out: bool, data: st.DataObject) -> None:
    call = data.draw(calls(types, opt_out=opt_out))

    bodies = [raw(body) for body in call]

    assert folded_record(read(call)) == as_json(reference_fold(bodies, REFERENCE_BOOK))
    assert folded_details(read(call)) == as_json(reference_details(bodies, REFERENCE_BOOK))


@given(conflicting_versions())
def test_of_conflicting_versions_the_same_wins_in_the_reference_fold(call: list[Json]) -> None:
    assert folded_record(read(call)) == as_json(reference_fold(map(raw, call), REFERENCE_BOOK))


@given(calls(), st.randoms(use_true_random=False), st.booleans())
def test_order_repetition_and_batches_do_not_matter(call: list[Json], rng: random.Random, again: bool) -> None:
    delivered = [raw(body) for body in call] * (2 if again else 1)
    rng.shuffle(delivered)
    cuts = sorted(rng.choices(range(len(delivered) + 1), k=3))
    batches = [delivered[start:stop] for start, stop in zip([0, *cuts], [*cuts, len(delivered)], strict=True)]

    collected = [decode_logged(value) for batch in batches for value in batch]

    assert dumped([event for event in collected if isinstance(event, Event)]) == dumped(read(call))


@given(calls(opt_out=True), st.randoms(use_true_random=False))
def test_order_does_not_matter_to_an_opted_out_call(call: list[Json], rng: random.Random) -> None:
    shuffled = rng.sample(call * 2, k=len(call) * 2)

    assert dumped(read(shuffled)) == dumped(read(call))


@given(calls(), st.randoms(use_true_random=False))
def test_two_spellings_of_a_body_are_one_event(call: list[Json], rng: random.Random) -> None:
    delivered = call + [respelled(body) for body in call]

    once, twice = fold(read(call), BOOK), fold(read(delivered), BOOK)

    assert (twice.record, twice.events, twice.conflicts) == (once.record, once.events, once.conflicts)
    assert dumped(read(rng.sample(delivered, k=len(delivered)))) == dumped(read(delivered))


@given(calls(opt_out=True))
def test_the_record_of_an_opted_out_call_has_no_private_content(call: list[Json]) -> None:
    folded: Folded = fold(read(call), BOOK, opted_out=True)

    assert folded.record["opt_out_sensitive_data_storage"] is True
    assert SECRET not in orjson.dumps(folded.record).decode()


@given(calls(opt_out=True))
def test_a_redacted_event_has_no_private_content(call: list[Json]) -> None:
    for body in call:
        assert SECRET not in redact(raw(body)).decode()


@given(calls_without_conflicts(opt_out=True), st.randoms(use_true_random=False))
def test_redacting_any_events_of_an_opted_out_call_does_not_matter(call: list[Json], rng: random.Random) -> None:
    events = read(call)

    logged = [redacted(event, rng.randint(1, 3)) if rng.random() < 0.5 else event for event in events]
    copies = rng.sample(events + logged, k=len(events) * 2)

    assert fold(logged, BOOK, opted_out=True).record == fold(events, BOOK, opted_out=True).record
    assert fold(copies, BOOK, opted_out=True).record == fold(events, BOOK, opted_out=True).record


@given(calls(opt_out=True))
def test_redacting_all_conflicting_versions_at_once_does_not_matter(call: list[Json]) -> None:
    events = read(call)

    logged = [redacted(event, 1) for event in events]

    assert fold(logged, BOOK, opted_out=True).record == fold(events, BOOK, opted_out=True).record


@given(calls(opt_out=True))
def test_redacting_a_redacted_event_changes_nothing(call: list[Json]) -> None:
    for body in call:
        assert redact(redact(raw(body))) == redact(raw(body))
