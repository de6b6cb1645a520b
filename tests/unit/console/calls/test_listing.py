"""A page of the list of calls, on the in-memory store."""

from collections.abc import Mapping

import pytest

from services.console.calls.filters import Filter
from services.console.calls.listing import MOST_PASSED_BY, PAGE, Listing, listing
from services.console.calls.rows import call_of_field, row_of
from shared.store.memory.calls import MemoryStore
from shared.store.models import CallSummary, CallUpdate
from shared.store.states import State
from tests.support.store.makers import result, tokens

PARTITIONS = 12
NOW = 10_000_000


async def store_with(live: int = 0, final: int = 0, problems: Mapping[str, int] | None = None) -> MemoryStore:
    """Return a store whose calls arrived one after the other: first the final ones, then those that are live."""
    store = MemoryStore()
    await store.put_watermarks({0: NOW}, PARTITIONS)
    finals, lives = [f"o/final-{n:04}" for n in range(final)], [f"o/live-{n:04}" for n in range(live)]
    await store.mark_stale([CallUpdate(call, n % PARTITIONS, 100 + n, stale=True) for n, call in enumerate(finals)])
    leases = await store.lease(finals, next(tokens))
    await store.store_results([(lease, result(problems=problems)) for lease in leases])
    await store.mark_stale([CallUpdate(call, 1, 100 + final + n, stale=False) for n, call in enumerate(lives)])
    return store


async def registered(store: MemoryStore, number: int) -> None:
    """Store what is known of calls that have not begun, and that arrived before all others."""
    calls = [f"o/registered-{n:04}" for n in range(number)]
    await store.mark_stale([CallUpdate(call, 1, n, stale=True) for n, call in enumerate(calls)])
    leases = await store.lease(calls, next(tokens))
    await store.store_results([(lease, result(final=False)) for lease in leases])


async def walked(store: MemoryStore, chosen: Filter) -> tuple[list[str], list[Listing]]:
    """Return the calls of all pages, and the pages."""
    calls: list[str] = []
    pages: list[Listing] = []
    after = None
    while not pages or after is not None:
        page = await listing(store, Filter(chosen.organization, chosen.status, chosen.finality, after=after), NOW)
        calls += [row.call for row in page.rows]
        pages.append(page)
        after = page.following
    return calls, pages


@pytest.mark.parametrize("number", [0, 1, PAGE, PAGE + 1, 2 * PAGE, 2 * PAGE + 3])
async def test_page_by_page_each_call_is_shown_once(number: int) -> None:
    store = await store_with(live=number)

    calls, pages = await walked(store, Filter())

    assert calls == [f"live-{n:04}" for n in reversed(range(number))]
    assert [len(page.rows) for page in pages[:-1]] == [PAGE] * (len(pages) - 1)
    assert len(pages) == max(1, -(-number // PAGE))
    assert not any(page.is_cut for page in pages)


async def test_what_no_index_answers_is_looked_for_among_a_bounded_number_of_calls() -> None:
    store = await store_with(live=MOST_PASSED_BY + 10)
    await registered(store, 60)

    page = await listing(store, Filter(status="REGISTERED"), NOW)
    calls, pages = await walked(store, Filter(status="REGISTERED"))

    assert (page.rows, page.is_cut) == ([], True)
    assert calls == [f"registered-{n:04}" for n in reversed(range(60))]
    assert [(len(each.rows), each.is_cut) for each in pages] == [(0, True), (PAGE, False), (10, False)]


async def test_calls_with_problems_of_one_finality() -> None:
    store = await store_with(final=3, problems={"conflict": 1})
    await store.mark_stale([CallUpdate("o/final-0001", 1, 1_000, stale=True)])

    settling = await listing(store, Filter(finality="settling", problems=True), NOW)
    everything = await listing(store, Filter(problems=True), NOW)

    assert [row.call for row in settling.rows] == ["final-0001"]
    assert [row.call for row in everything.rows] == ["final-0001", "final-0002", "final-0000"]
    assert [row.summary.problem_count for row in everything.rows] == [1, 1, 1]


async def test_the_page_goes_on_changing_while_one_of_its_calls_does() -> None:
    live, final = await store_with(live=1, final=1), await store_with(final=1)

    assert (await listing(live, Filter(), NOW)).changes
    assert not (await listing(final, Filter(), NOW)).changes


async def test_a_store_that_no_worker_knows_has_no_calls_to_list() -> None:
    page = await listing(MemoryStore(), Filter(), NOW)

    assert (page.rows, page.knows_workers) == ([], False)


@pytest.mark.parametrize("key", ["o/c", "o/a%2Fb%25", "o/line\r\nend\0 é\"'<b>"])
def test_a_form_gives_back_the_call_that_it_was_given(key: str) -> None:
    row = row_of(CallSummary(key, State.BROKEN, 1))

    assert call_of_field(row.field) == key
    assert row.field.isascii()
    assert row.field.isprintable()


def test_a_row_names_the_call_as_its_events_do() -> None:
    row = row_of(CallSummary("o/a%2Fb%25", State.FOLDING, 1_000, stale_since=2_000))

    assert (row.organization, row.call, row.finality) == ("o", "a/b%", "settling")
    assert (row.waits(5_000), row.waits(1_000)) == (3.0, 0)
    assert row_of(CallSummary("o/c", State.BROKEN, 1)).waits(5_000) is None
