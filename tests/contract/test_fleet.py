"""Every store: what the workers of a fleet share, settings and a clock."""

from shared.process.clock import now_ms
from shared.store.ports import Store


async def test_a_store_in_which_no_worker_started_has_no_settings(store: Store) -> None:
    assert await store.fleet_settings() == {}


async def test_the_settings_are_those_of_the_worker_that_started_last(store: Store) -> None:
    await store.put_fleet_settings({"rules": "1", "key": "a", "$odd.name": "$x"})

    await store.put_fleet_settings({"rules": "2", "key": "$a.b"})

    assert await store.fleet_settings() == {"rules": "2", "key": "$a.b"}


async def test_the_clock_is_that_of_the_store(store: Store) -> None:
    before = now_ms()

    shown = await store.now()

    assert before - 1_000 <= shown <= now_ms() + 1_000  # the test's server runs on this machine
