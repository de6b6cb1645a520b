"""Workers with different settings on one store."""

from collections.abc import Iterator

import pytest
from structlog.testing import capture_logs
from structlog.typing import EventDict

from shared.config.fleet import CONSEQUENCES, of_reader, of_worker
from shared.config.policies import Policies, Policy
from shared.process import metrics
from shared.store.fleet_watch import FleetWatch
from shared.store.memory.calls import MemoryStore
from tests.support.events.makers import book

KEY = b"k" * 32
OURS = of_worker(book(), Policies(), KEY)
THEIRS = {**OURS, "price_book": "v0 0123456789abcdef"}


@pytest.fixture
def logs() -> Iterator[list[EventDict]]:
    with capture_logs() as captured:
        yield captured


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


def differs(setting: str) -> float:
    return metrics.FLEET_SETTING_DIFFERS.labels(setting)._value.get()  # type: ignore[no-any-return]  # noqa: SLF001


async def test_the_first_worker_and_one_like_it_report_nothing(store: MemoryStore, logs: list[EventDict]) -> None:
    await FleetWatch(store, OURS).announce()
    await FleetWatch(store, OURS).announce()

    assert logs == []
    assert await store.fleet_settings() == OURS


async def test_a_worker_that_differs_reports_at_its_start_what_differs_and_what_it_leads_to(
    store: MemoryStore, logs: list[EventDict]
) -> None:
    await FleetWatch(store, THEIRS).announce()

    await FleetWatch(store, OURS).announce()

    (line,) = logs
    assert (line["event"], line["log_level"], line["setting"]) == ("fleet_setting_differs", "warning", "price_book")
    assert (line["own"], line["fleet"]) == (OURS["price_book"], THEIRS["price_book"])
    assert line["so"] == "which prices a call is rated by depends on who folds it"


async def test_a_worker_that_runs_reports_one_that_starts_and_differs_once(
    store: MemoryStore, logs: list[EventDict]
) -> None:
    running = FleetWatch(store, OURS)
    await running.announce()
    await FleetWatch(store, THEIRS).announce()
    logs.clear()

    for _ in range(3):
        await running.check()

    assert [line["setting"] for line in logs] == ["price_book"]
    assert (differs("price_book"), differs("rules")) == (1, 0)


async def test_the_report_ends_when_the_others_start_with_the_same_settings(store: MemoryStore) -> None:
    running = FleetWatch(store, OURS)
    await FleetWatch(store, THEIRS).announce()
    await running.check()

    await FleetWatch(store, OURS).announce()
    await running.check()

    assert differs("price_book") == 0


async def test_a_setting_that_an_older_worker_did_not_store_is_no_difference(
    store: MemoryStore, logs: list[EventDict]
) -> None:
    await store.put_fleet_settings({"rules": OURS["rules"]})

    await FleetWatch(store, OURS).check()

    assert logs == []


def test_each_setting_has_a_fingerprint_of_its_own_that_does_not_show_a_key() -> None:
    other_key = of_worker(book(), Policies(), b"l" * 32)
    other_policies = of_worker(book(), Policies(Policy(retention_days=1)), KEY)

    assert {name for name in OURS if OURS[name] != other_key[name]} == {"log_id_hmac_key"}
    assert {name for name in OURS if OURS[name] != other_policies[name]} == {"policies"}
    assert KEY.decode() not in OURS["log_id_hmac_key"]
    assert of_reader(book()).items() <= OURS.items()
    assert OURS.keys() == CONSEQUENCES.keys()
