"""Every store: the settings of the fleet."""

from shared.store.ports import Store


async def test_a_store_in_which_no_worker_started_has_no_settings(store: Store) -> None:
    assert await store.fleet_settings() == {}


async def test_the_settings_are_those_of_the_worker_that_started_last(store: Store) -> None:
    await store.put_fleet_settings({"rules": "1", "key": "a", "$odd.name": "$x"})

    await store.put_fleet_settings({"rules": "2", "key": "$a.b"})

    assert await store.fleet_settings() == {"rules": "2", "key": "$a.b"}
