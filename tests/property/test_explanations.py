"""The events behind a value: they alone give it, and none of them can be left out."""

from collections.abc import Iterator, Sequence

from hypothesis import given
from hypothesis import strategies as st

from services.console.call.explain.explanation import behind, explain, explain_part
from services.console.call.explain.fields import field_of
from services.console.call.explain.shown import shown
from services.console.call.explain.sufficient import smallest
from shared.calls.read_events import LoggedEvent
from shared.contract.decode_event import Event, decode_logged
from shared.fold.call import call_of
from shared.fold.fold import fold
from shared.fold.record import Record
from tests.support.console.call_page import logged_call, page_of, rendered
from tests.support.events.makers import Json, book, event, raw
from tests.support.events.strategies import PRICE_LISTS, SECRET, TOPICS, TYPES, calls

BOOK = book(*PRICE_LISTS)
EFFORT = 10**9
SOME = st.integers(0, 4).map(lambda first: slice(first, None, 5))
"""Which of a record's values an example explains: all would take seconds."""

PLAIN = (
    *("call_status", "from_number", "to_number", "disconnection_reason", "start_timestamp", "end_timestamp"),
    *("call_duration", "recording_url", "public_log_url", "agent_id", "call_type", "direction", "call_cost"),
)


def read(bodies: Sequence[Json]) -> list[Event]:
    events = [decode_logged(raw(body)) for body in bodies]
    return [event for event in events if isinstance(event, Event)]


def names(record: Record) -> Iterator[str]:
    """Yield the names of all values of a record that can be explained."""
    yield from PLAIN
    yield from (f"metadata.{key}" for key in record["metadata"])
    yield from (f"call_analysis.{key}" for key in record["call_analysis"] or {})
    yield from (f"latency.{component}" for component in record["latency"] or {})
    cost = record["call_cost"]
    yield from (f"call_cost.{line['product']}" for line in (cost["product_costs"] if cost else ()))


@given(calls(TYPES) | st.sampled_from(sorted(TOPICS)).flatmap(lambda topic: calls(TOPICS[topic])), SOME)
def test_the_events_behind_a_value_alone_give_it_and_without_any_of_them_it_is_another(
    bodies: list[Json], some: slice
) -> None:
    events = read(bodies)
    logged = logged_call(events, BOOK)
    call = call_of(events, BOOK, opted_out=logged.opted_out)
    record = fold(events, BOOK).record

    for name in list(names(record))[some]:
        field = field_of(name)
        assert field is not None

        def value(of: Sequence[LoggedEvent], field: object = field) -> object:
            kept = [each.event for each in of if isinstance(each.event, Event)]
            return field.value(fold(kept, BOOK, opted_out=logged.opted_out).record) if kept else None  # type: ignore[attr-defined]

        found = behind(logged, call, field, BOOK, EFFORT)

        assert found.minimal
        assert value(found.left) == field.value(record), name
        for left_out in found.left:
            assert value([each for each in found.left if each is not left_out]) != field.value(record), name


@given(calls(TYPES))
def test_the_page_of_any_call_and_each_explanation_can_be_shown_and_its_cost_adds_up(bodies: list[Json]) -> None:
    events = read(bodies)
    page = page_of(events, BOOK)
    logged = logged_call(events, BOOK)

    html = rendered(page)
    parts = [explain_part(logged, entry.anchor, BOOK) for entry in page.entries[:2]]

    assert page.cost is None or page.cost.adds_up
    assert html.count("<article") == 1
    assert all(part is not None and part.behind for part in parts)


@given(calls(TYPES), st.integers(0, 12), SOME)
def test_of_a_call_that_opted_out_neither_the_page_nor_an_explanation_shows_anything_private(
    bodies: list[Json], place: int, some: slice
) -> None:
    bodies.insert(min(place, len(bodies)), event("call.updated", id="out", opt_out_sensitive_data_storage=True))
    events = read(bodies)
    page, logged = page_of(events, BOOK), logged_call(events, BOOK)
    parts = [entry.anchor for entry in page.entries][:2]

    texts = [rendered(page)]
    for name in ("opt_out_sensitive_data_storage", *list(names(fold(events, BOOK).record))[some]):
        field = field_of(name)
        assert field is not None
        texts.append(str(shown(name, explain(logged, field, BOOK), page.zero)))
    for name in parts:
        found = explain_part(logged, name, BOOK)
        assert found is not None
        texts.append(str(shown(name, found, page.zero)))

    assert [text for text in texts if SECRET in text] == []


@given(st.sets(st.integers(0, 40), max_size=6), st.integers(1, 41))
def test_what_is_needed_is_found_whatever_else_is_there(needed: set[int], size: int) -> None:
    given_items = list(range(size))
    wanted = {each for each in needed if each < size}

    found = smallest(given_items, lambda left: wanted <= set(left), EFFORT)

    assert set(found.left) == wanted
    assert found.minimal


def test_the_search_ends_when_its_effort_is_used_up() -> None:
    found = smallest(list(range(100)), lambda left: len(left) == 100, effort=500)

    assert (len(found.left), found.minimal) == (100, False)
