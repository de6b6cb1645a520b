"""Every store: until when the partitions are written."""

from shared.store.models import Watermark
from shared.store.ports import Store

ARRIVAL = 1_790_000_000_123  # does not fit into 32 bits


async def test_a_store_in_which_nothing_was_put_has_no_watermarks(store: Store) -> None:
    await store.put_watermarks({}, 12)

    assert await store.watermarks() == {}


async def test_the_watermarks_of_all_partitions_are_returned(store: Store) -> None:
    await store.put_watermarks({0: ARRIVAL, 11: ARRIVAL + 1}, 12)

    assert await store.watermarks() == {0: Watermark(ARRIVAL, 12), 11: Watermark(ARRIVAL + 1, 12)}


async def test_a_watermark_replaces_the_one_before_even_if_it_is_earlier(store: Store) -> None:
    await store.put_watermarks({0: ARRIVAL, 1: ARRIVAL}, 12)

    await store.put_watermarks({1: ARRIVAL - 1, 12: ARRIVAL}, 24)

    assert await store.watermarks() == {
        0: Watermark(ARRIVAL, 12),
        1: Watermark(ARRIVAL - 1, 24),
        12: Watermark(ARRIVAL, 24),
    }
