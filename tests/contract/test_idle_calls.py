"""Every store: idle calls."""

from shared.store.models import CallArrival, CallUpdate
from shared.store.ports import Store
from tests.support.store.makers import CALL, leased, result, update

LONG_AGO, BEFORE = 1_000, 5_000


async def update_all(store: Store, *calls: tuple[str, int], partition: int = 7) -> None:
    await store.mark_stale([CallUpdate(call, partition, arrival, stale=False) for call, arrival in calls])


async def test_idle_calls_are_those_without_a_recent_arrival_the_longest_idle_first(store: Store) -> None:
    await update_all(store, ("o/active", BEFORE), ("o/b", 4_999), ("o/a", LONG_AGO))

    idle = await store.idle_calls([7], BEFORE, None, 10)

    assert idle == [CallArrival("o/a", 7, LONG_AGO), CallArrival("o/b", 7, 4_999)]


async def test_idle_calls_are_those_of_the_partitions(store: Store) -> None:
    await update_all(store, ("o/a", 1), partition=6)
    await update_all(store, ("o/b", 2), partition=7)
    await update_all(store, ("o/c", 3), partition=8)

    assert [each.call for each in await store.idle_calls([8, 6], BEFORE, None, 10)] == ["o/a", "o/c"]
    assert await store.idle_calls([], BEFORE, None, 10) == []


async def test_a_live_call_whose_record_was_stored_is_idle_too(store: Store) -> None:
    await store.store_results([(await leased(store), result(final=False))])

    assert [each.call for each in await store.idle_calls([7], BEFORE, None, 10)] == [CALL]


async def test_a_call_that_is_stale_folding_final_or_broken_is_not_idle(store: Store) -> None:
    await store.mark_stale([update("o/stale")])
    await leased(store, "o/folding")
    await store.store_results([(await leased(store, "o/final"), result(final=True))])
    await store.mark_broken([await leased(store, "o/broken")])

    assert await store.idle_calls([7], BEFORE, None, 10) == []


async def test_a_call_with_a_new_arrival_is_not_idle(store: Store) -> None:
    await update_all(store, (CALL, LONG_AGO))

    await update_all(store, (CALL, BEFORE))

    assert await store.idle_calls([7], BEFORE, None, 10) == []


async def test_page_by_page_each_idle_call_is_returned_once_also_those_of_the_same_time(store: Store) -> None:
    calls = [("o/c", 1), ("o/a", 2), ("o/b", 2), ("o/d", 2), ("o/0", 3)]
    await update_all(store, *calls)

    pages: list[list[CallArrival]] = []
    after = None
    while page := await store.idle_calls([7], BEFORE, after, 2):
        pages.append(page)
        after = page[-1]

    assert [(each.call, each.last_arrival) for page in pages for each in page] == calls
    assert [len(page) for page in pages] == [2, 2, 1]
