"""What every store does when it is asked for the calls from which nothing comes."""

from shared.store.models import CallArrival, CallUpdate
from shared.store.ports import Store
from tests.support.store.makers import CALL, leased, result, update

LONG_AGO, BEFORE = 1_000, 5_000


async def heard(store: Store, *calls: tuple[str, int], partition: int = 7) -> None:
    await store.mark_stale([CallUpdate(call, partition, arrival, stale=False) for call, arrival in calls])


async def test_silent_calls_are_those_without_an_arrival_since_the_longest_silent_first(store: Store) -> None:
    await heard(store, ("o/talks", BEFORE), ("o/b", 4_999), ("o/a", LONG_AGO))

    silent = await store.idle_calls([7], BEFORE, None, 10)

    assert silent == [CallArrival("o/a", 7, LONG_AGO), CallArrival("o/b", 7, 4_999)]


async def test_of_other_partitions_no_call_is_silent(store: Store) -> None:
    await heard(store, ("o/a", 1), partition=6)
    await heard(store, ("o/b", 2), partition=7)
    await heard(store, ("o/c", 3), partition=8)

    assert [each.call for each in await store.idle_calls([8, 6], BEFORE, None, 10)] == ["o/a", "o/c"]
    assert await store.idle_calls([], BEFORE, None, 10) == []


async def test_a_live_call_whose_record_was_stored_is_silent_too(store: Store) -> None:
    await store.store_results([(await leased(store), result(final=False))])

    assert [each.call for each in await store.idle_calls([7], BEFORE, None, 10)] == [CALL]


async def test_a_call_that_is_stale_folding_final_or_broken_is_not_silent(store: Store) -> None:
    await store.mark_stale([update("o/stale")])
    await leased(store, "o/folding")
    await store.store_results([(await leased(store, "o/final"), result(final=True))])
    await store.mark_broken([await leased(store, "o/broken")])

    assert await store.idle_calls([7], BEFORE, None, 10) == []


async def test_a_call_that_is_heard_of_again_is_silent_no_longer(store: Store) -> None:
    await heard(store, (CALL, LONG_AGO))

    await heard(store, (CALL, BEFORE))

    assert await store.idle_calls([7], BEFORE, None, 10) == []


async def test_page_by_page_each_silent_call_comes_once_those_of_one_moment_too(store: Store) -> None:
    calls = [("o/c", 1), ("o/a", 2), ("o/b", 2), ("o/d", 2), ("o/0", 3)]
    await heard(store, *calls)

    pages: list[list[CallArrival]] = []
    after = None
    while page := await store.idle_calls([7], BEFORE, after, 2):
        pages.append(page)
        after = page[-1]

    assert [(each.call, each.last_arrival) for page in pages for each in page] == calls
    assert [len(page) for page in pages] == [2, 2, 1]
