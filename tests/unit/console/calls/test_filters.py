"""Which calls a list has, by its address."""

import pytest
from starlette.datastructures import QueryParams

from services.console.calls.filters import AGES, EVERY_STATE, Filter, filter_of
from shared.store.models import CallSummary, RecentCall
from shared.store.states import State

HOUR = 3_600_000


def of(query: str) -> Filter:
    return filter_of(QueryParams(query))


@pytest.mark.parametrize(
    "chosen",
    [
        Filter(),
        Filter("org-1"),
        Filter("a b/c&d=é$%2F", "ENDED", "final", "day", problems=True),
        Filter(finality="settling", age="hour"),
    ],
)
@pytest.mark.parametrize("after", [None, RecentCall("o/c %2F&+é", 1_700_000_000_000)])
def test_an_address_states_its_filter(chosen: Filter, after: RecentCall | None) -> None:
    path, _, query = chosen.address(after).partition("?")

    assert path == "/calls"
    assert of(query).address(after) == chosen.address(after)
    assert of(query).after == after


def test_no_filter_has_the_shortest_address() -> None:
    assert Filter().address() == "/calls"


@pytest.mark.parametrize(
    "query", ["", "status=", "status=ended", "finality=x&age=year", "problems=yes", "organization=+"]
)
def test_what_is_none_of_the_choices_limits_nothing(query: str) -> None:
    assert of(query) == Filter()
    assert of(query).states == EVERY_STATE


@pytest.mark.parametrize(
    "query", ["after=o/c", "arrival=1", "after=&arrival=1", "after=o/c&arrival=-1", "after=o/c&arrival=²"]
)
@pytest.mark.parametrize("digits", ["", "0" * 30, "9" * 17])
def test_a_start_that_no_page_links_to_is_the_first_page(query: str, digits: str) -> None:
    assert of(query + digits).after is None or (digits, query[-2:]) == ("", "=1")


def test_an_age_is_counted_from_now() -> None:
    assert of("age=hour").since(10 * HOUR) == 9 * HOUR
    assert of("").since(10 * HOUR) == 0
    assert list(AGES) == ["hour", "day", "week"]


@pytest.mark.parametrize(
    ("query", "included"),
    [
        ("", True),
        ("status=ENDED", True),
        ("status=ERROR", False),
        ("finality=final", True),
        ("finality=live", False),
        ("problems=1", True),
        ("problems=1&finality=settling", False),
    ],
)
def test_a_call_is_included_by_what_is_stored_of_it(query: str, included: bool) -> None:
    call = CallSummary("o/c", State.FINAL, 1_000, "ENDED", problem_count=2)

    assert of(query).includes(call) is included


@pytest.mark.parametrize(
    ("query", "states"),
    [
        ("status=ENDED", {State.STALE, State.FOLDING, State.FINAL}),
        ("status=ONGOING", {State.STALE, State.FOLDING, State.LIVE}),
        ("status=ERROR&finality=final", {State.FINAL}),
        ("status=ERROR&finality=live", set()),
        ("status=ENDED&finality=broken", set()),
    ],
)
def test_a_status_is_looked_for_where_it_can_be(query: str, states: set[State]) -> None:
    assert of(query).states == states


def test_a_call_without_problems_or_without_a_record_does_not_match_a_filter_for_them() -> None:
    live = CallSummary("o/c", State.LIVE, 1_000)

    assert not of("problems=1").includes(live)
    assert not of("status=ONGOING").includes(live)
    assert not Filter().includes(CallSummary("o/c", State.DELETED, 1_000))


@pytest.mark.parametrize(
    ("query", "walks"),
    [
        ("", False),
        ("organization=o&age=day&finality=final", False),
        ("problems=1", False),
        ("status=ENDED", True),
        ("problems=1&finality=live", True),
    ],
)
def test_what_no_index_answers_is_walked_to(query: str, walks: bool) -> None:
    assert of(query).needs_walk is walks
