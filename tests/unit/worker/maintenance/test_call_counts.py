"""The gauges of calls: counted from time to time, of this worker's partitions alone."""

from services.worker.maintenance.call_counts import EVERY_MS, CallCountsJob
from services.worker.metrics import WORKER
from services.worker.worker import Worker
from shared.store.memory.calls import MemoryStore
from shared.store.models import CallUpdate
from tests.support.store.makers import leased
from tests.support.worker.memory_worker import Clock
from tests.support.worker.unstarted_consumer import TP0, Broker

GAUGES = ("callfold_live_calls", "callfold_stale_calls", "callfold_broken_calls", "callfold_oldest_stale_call_seconds")


def gauges() -> list[float | None]:
    return [WORKER.registry.get_sample_value(name) for name in GAUGES]


async def store_of(clock: Clock) -> MemoryStore:
    """Return a store with one live, two stale and one broken call in partition 7."""
    store = MemoryStore(clock)
    await store.mark_stale([CallUpdate("o/live", 7, 1, stale=False)])
    await store.mark_stale([CallUpdate(f"o/{name}", 7, 1, stale=True) for name in ("one", "two", "broken")])
    await store.mark_broken([await leased(store, "o/broken")])
    return store


async def test_the_calls_of_the_owned_partitions_are_counted() -> None:
    clock = Clock()
    store = await store_of(clock)
    clock.move(30)

    await CallCountsJob(store, lambda: frozenset({3, 7}), clock).run()
    mine = gauges()
    await CallCountsJob(store, lambda: frozenset({3}), clock).run()

    assert mine == [1, 2, 1, 30]
    assert gauges() == [0, 0, 0, 0]


async def test_the_same_partitions_are_counted_now_and_then_and_others_at_once() -> None:
    clock, steady = Clock(), Clock()
    store = await store_of(clock)
    owned = {7}
    job = CallCountsJob(store, lambda: frozenset(owned), clock, steady)

    await job.run()
    await store.mark_stale([CallUpdate("o/another", 7, 1, stale=True)])
    await job.run()
    at_once = gauges()
    steady.move(EVERY_MS / 1000)
    await job.run()
    later = gauges()
    owned.clear()
    await job.run()

    assert (at_once[1], later[1], gauges()[1]) == (2, 3, 0)


async def test_during_a_rebalance_what_was_counted_stays() -> None:
    clock = Clock()
    store = await store_of(clock)
    await CallCountsJob(store, lambda: frozenset({7}), clock).run()

    await CallCountsJob(store, lambda: None, clock).run()

    assert gauges() == [1, 2, 1, 0]


async def test_a_clock_that_is_behind_makes_no_call_wait_less_than_nothing() -> None:
    clock = Clock()
    store = await store_of(clock)
    clock.move(-60)

    await CallCountsJob(store, lambda: frozenset({7}), clock).run()

    assert gauges()[-1] == 0


async def test_a_worker_counts_nothing_before_it_has_joined_and_while_its_group_rebalances(
    made: tuple[Worker, Broker],
) -> None:
    worker, _ = made
    before = worker.counted()

    await worker.on_assigned(worker.app, {TP0})
    joined = worker.counted()
    worker.app.rebalancing = True

    assert (before, joined, worker.counted()) == (None, frozenset({0}), None)
