"""Every store: the lists of calls, and what they show."""

from collections.abc import Iterable
from dataclasses import replace

import pytest

from shared.store.models import CallFilter, CallSummary, CallUpdate, RecentCall
from shared.store.ports import Store
from shared.store.states import OPEN, State
from tests.support.store.makers import CALL, leased, record, result, tokens, too_large, update

ARRIVED = 1_000  # as in `update`
EVERY = CallFilter(frozenset(State), range(12))


async def mark(store: Store, *calls: str, stale: bool = False, arrival: int = ARRIVED, partition: int = 7) -> None:
    await store.mark_stale([CallUpdate(call, partition, arrival, stale=stale) for call in calls])


async def finish(store: Store, *calls: str, arrival: int = ARRIVED) -> None:
    await mark(store, *calls, stale=True, arrival=arrival)
    leases = await store.lease(calls, next(tokens))
    await store.store_results([(lease, result()) for lease in leases])


async def one_of_each(store: Store) -> None:
    """Make a call in each state, whose name says which."""
    await finish(store, "o/final", "o/deleted")
    await store.tombstone(["o/deleted"], ARRIVED)
    await mark(store, "o/live")
    await mark(store, "o/stale", "o/folding", stale=True)
    await store.lease(["o/folding"], next(tokens))
    await store.mark_broken([await leased(store, "o/broken")])


async def listed(store: Store, wanted: CallFilter = EVERY) -> list[str]:
    return [each.call for each in await store.recent_calls(wanted, None, 100)]


async def pages(store: Store, wanted: CallFilter, limit: int) -> list[list[str]]:
    found: list[list[str]] = []
    after = None
    while page := await store.recent_calls(wanted, after, limit):
        found.append([each.call for each in page])
        after = page[-1]
    return found


async def test_all_calls_are_listed_but_deleted_ones(store: Store) -> None:
    await one_of_each(store)

    assert await listed(store) == ["o/broken", "o/final", "o/folding", "o/live", "o/stale"]


@pytest.mark.parametrize(
    "states", [{State.LIVE}, {State.STALE}, {State.FINAL}, {State.BROKEN}, {State.FOLDING, State.FINAL}, OPEN, ()]
)
async def test_calls_of_some_states(store: Store, states: Iterable[State]) -> None:
    await one_of_each(store)

    assert await listed(store, replace(EVERY, states=frozenset(states))) == sorted(f"o/{state}" for state in states)


async def test_the_call_with_the_latest_arrival_is_first_whatever_its_state(store: Store) -> None:
    await mark(store, "o/a", arrival=4_000)
    await mark(store, "o/b", arrival=1_000)
    await finish(store, "o/c", arrival=3_000)
    await mark(store, "o/d", arrival=2_000, stale=True)
    await mark(store, "o/e", arrival=2_000)

    assert await store.recent_calls(EVERY, None, 2) == [RecentCall("o/a", 4_000), RecentCall("o/c", 3_000)]
    assert await listed(store) == ["o/a", "o/c", "o/d", "o/e", "o/b"]
    assert await listed(store, replace(EVERY, since=3_000)) == ["o/a", "o/c"]
    assert await listed(store, replace(EVERY, since=4_001)) == []


async def test_calls_of_one_organization(store: Store) -> None:
    for organization in ("org", "org-789", "org.x", "org0"):
        await finish(store, f"{organization}/final")
        await mark(store, f"{organization}/live")
        await store.mark_broken([await leased(store, f"{organization}/broken")])

    assert await listed(store, replace(EVERY, organization="org")) == ["org/broken", "org/final", "org/live"]
    for organization in ("or", "", "org/final", "$where", "org\0"):
        assert await listed(store, replace(EVERY, organization=organization)) == []


async def test_calls_of_other_partitions_are_not_listed(store: Store) -> None:
    await mark(store, "o/here", partition=7)
    await mark(store, "o/there", partition=3)
    await finish(store, "o/final")

    assert await listed(store, replace(EVERY, partitions=[7])) == ["o/final", "o/here"]
    assert await listed(store, replace(EVERY, partitions=[3])) == ["o/there"]
    assert await listed(store, replace(EVERY, partitions=[])) == []


@pytest.mark.parametrize("limit", [1, 2, 3, 5, 50])
@pytest.mark.parametrize("organization", [None, "o"])
async def test_page_by_page_each_call_is_returned_once_also_those_of_the_same_time(
    store: Store, limit: int, organization: str | None
) -> None:
    for arrival in (3_000, 2_000, 1_000):
        await mark(store, *(f"o/{arrival}-live-{n}" for n in (3, 1, 2)), arrival=arrival)
        await finish(store, *(f"o/{arrival}-final-{n}" for n in (2, 3, 1)), arrival=arrival)
    await mark(store, "p/other", arrival=2_000)
    wanted = replace(EVERY, organization=organization, since=2_000)

    found = await pages(store, wanted, limit)

    expected = [
        f"o/{arrival}-{kind}-{n}" for arrival in (3_000, 2_000) for kind in ("final", "live") for n in (1, 2, 3)
    ]
    assert [call for page in found for call in page] == expected + ([] if organization else ["p/other"])
    assert all(len(page) == limit for page in found[:-1])


async def test_a_list_goes_on_after_a_call_that_is_not_in_it(store: Store) -> None:
    await mark(store, "o/a", "o/c", arrival=2_000)
    await mark(store, "o/b", arrival=1_000)

    found = await store.recent_calls(replace(EVERY, organization="o"), RecentCall("x/y", 2_000), 10)

    assert [each.call for each in found] == ["o/b"]


async def test_a_live_call_has_no_more_than_its_state(store: Store) -> None:
    await mark(store, CALL)

    assert await store.summaries([CALL, "o/never-seen"]) == {CALL: CallSummary(CALL, State.LIVE, ARRIVED)}
    assert await store.summaries([]) == {}


async def test_the_summary_of_a_final_call_is_from_its_record(store: Store) -> None:
    folded = replace(
        result(problems={"conflict": 2, "end_undone": 1}),
        record={
            **record(),
            "call_status": "ENDED",
            "start_timestamp": 1_000,
            "call_duration": 12.5,
            "call_cost": {
                "combined_cost": 0.25,
                "product_costs": [],
                "total_duration_seconds": 12.5,
                "total_duration_unit_price": 0.0,
                "total_one_time_price": 0.0,
            },
        },
    )
    await store.store_results([(await leased(store), folded)])

    expected = CallSummary(CALL, State.FINAL, ARRIVED, "ENDED", 1_000, 12.5, 0.25, problem_count=3)
    assert await store.summaries([CALL]) == {CALL: expected}


async def test_a_call_whose_record_is_too_large_has_its_problems_alone(store: Store) -> None:
    await store.store_results([(await leased(store), replace(too_large(), problems={"conflict": 2}))])

    assert await store.summaries([CALL]) == {CALL: CallSummary(CALL, State.FINAL, ARRIVED, problem_count=2)}


async def test_a_call_that_waits_has_since_when_its_attempts_and_the_record_of_its_last_fold(store: Store) -> None:
    await finish(store, CALL)
    before = await store.now()
    await leased(store)

    found = (await store.summaries([CALL]))[CALL]

    assert (found.state, found.attempts, found.status) == (State.FOLDING, 1, result().record["call_status"])
    assert found.stale_since is not None
    assert before <= found.stale_since <= await store.now()


async def test_a_broken_call_has_no_record_and_a_deleted_one_no_summary(store: Store) -> None:
    await one_of_each(store)

    found = await store.summaries(["o/broken", "o/deleted"])

    assert set(found) == {"o/broken"}
    assert (found["o/broken"].state, found["o/broken"].status) == (State.BROKEN, None)
    assert (found["o/broken"].stale_since, found["o/broken"].problem_count) == (None, 0)


async def test_a_late_event_moves_a_final_call_to_the_front(store: Store) -> None:
    await finish(store, "o/a", "o/b", arrival=2_000)

    await store.mark_stale([update("o/b", arrival=5_000)])

    assert await store.recent_calls(EVERY, None, 10) == [RecentCall("o/b", 5_000), RecentCall("o/a", 2_000)]
