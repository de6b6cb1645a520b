"""Every store: how many calls there are by state."""

from dataclasses import replace

import pytest

from shared.store.models import CallCounts, CallUpdate
from shared.store.ports import Store
from tests.support.store.makers import leased, result, tokens

PARTITIONS = range(12)


async def mark(store: Store, *calls: str, stale: bool, partition: int = 7) -> None:
    await store.mark_stale([CallUpdate(call, partition, 1_000, stale=stale) for call in calls])


async def fold(store: Store, call: str) -> None:
    await store.store_results([(await leased(store, call), result())])


async def test_calls_are_counted_by_state(store: Store) -> None:
    await mark(store, "o/live", "o/live-too", stale=False)
    await mark(store, "o/stale", "o/folding", "o/final", "o/broken", "o/deleted", stale=True)
    await fold(store, "o/final")
    await fold(store, "o/deleted")
    await store.tombstone(["o/deleted"], 1_000)
    await store.mark_broken([await leased(store, "o/broken")])
    await store.lease(["o/folding"], next(tokens))

    counts = await store.call_counts(PARTITIONS, 100)

    assert replace(counts, oldest_stale=None) == CallCounts(live=2, stale=2, broken=1, oldest_stale=None)


async def test_calls_of_other_partitions_do_not_count(store: Store) -> None:
    await mark(store, "o/live", stale=False)
    await mark(store, "o/stale", stale=True, partition=3)

    assert (await store.call_counts([7], 100)) == CallCounts(live=1, stale=0, broken=0, oldest_stale=None)
    assert (await store.call_counts([3], 100)).stale == 1
    assert await store.call_counts([], 100) == CallCounts(0, 0, 0, None)


async def test_no_number_is_above_the_limit(store: Store) -> None:
    await mark(store, *(f"o/live-{number}" for number in range(5)), stale=False)
    await mark(store, *(f"o/stale-{number}" for number in range(5)), stale=True)

    counts = await store.call_counts(PARTITIONS, 3)

    assert (counts.live, counts.stale) == (3, 3)


@pytest.mark.parametrize("is_folding", [False, True])
async def test_the_oldest_stale_call_is_the_one_that_was_marked_first(store: Store, is_folding: bool) -> None:
    before = await store.now()
    await mark(store, "o/first", stale=True, partition=3)
    between = await store.now()
    while await store.now() <= between:
        pass
    await mark(store, "o/second", stale=True)
    if is_folding:
        await store.lease(["o/first"], next(tokens))

    first = (await store.call_counts(PARTITIONS, 100)).oldest_stale
    second = (await store.call_counts([7], 100)).oldest_stale

    assert first is not None
    assert second is not None
    assert before <= first <= between < second
