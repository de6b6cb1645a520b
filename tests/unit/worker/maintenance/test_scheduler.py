"""Maintenance jobs: when they run, and what a failure of one means for the others."""

import asyncio

import pytest

from services.worker.maintenance.scheduler import MaintenanceJob, MaintenanceScheduler
from services.worker.metrics import WORKER
from shared.kafka.errors import KafkaUnavailable
from shared.store.ports import StoreUnavailable


class Clock:
    """A monotonic clock that the test moves; seconds."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


class Journal:
    """Jobs that record when they ran."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.done: list[tuple[str, float]] = []
        self.errors: list[Exception] = []
        self.takes = 0.0

    def job(self, name: str, every: float) -> MaintenanceJob:
        async def act() -> None:
            self.done.append((name, self.clock.now))
            self.clock.now += self.takes
            if self.errors:
                raise self.errors.pop(0)

        return MaintenanceJob(name, every, act)


async def test_each_job_runs_at_once_and_then_when_it_is_due() -> None:
    journal = Journal()
    maintenance = MaintenanceScheduler([journal.job("often", 10), journal.job("seldom", 25)], journal.clock)

    for _ in range(31):
        await maintenance.step()
        journal.clock.now += 1

    assert [at for name, at in journal.done if name == "often"] == [100, 110, 120, 130]
    assert [at for name, at in journal.done if name == "seldom"] == [100, 125]


async def test_a_job_that_takes_longer_than_its_interval_pauses_between_runs() -> None:
    journal = Journal()
    journal.takes = 60
    maintenance = MaintenanceScheduler([journal.job("slow", 10)], journal.clock)

    for _ in range(3):
        await maintenance.step()
    journal.clock.now += 10
    await maintenance.step()

    assert [at for _, at in journal.done] == [100, 170]


@pytest.mark.parametrize("error", [StoreUnavailable("away"), KafkaUnavailable("away"), KeyError("internal")])
async def test_a_job_that_fails_blocks_no_other_and_runs_again(error: Exception) -> None:
    journal = Journal()
    journal.errors = [error]
    maintenance = MaintenanceScheduler([journal.job("fails", 10), journal.job("works", 10)], journal.clock)

    await maintenance.step()
    journal.clock.now += 10
    await maintenance.step()

    assert journal.done == [("fails", 100), ("works", 100), ("fails", 110), ("works", 110)]


@pytest.mark.parametrize(
    ("error", "counted"),
    [(StoreUnavailable("away"), 0), (KafkaUnavailable("away"), 0), (KeyError("internal"), 1)],
)
async def test_only_an_internal_error_is_counted(error: Exception, counted: int) -> None:
    def count() -> float:
        return WORKER.registry.get_sample_value("callfold_maintenance_failures_total", {"job": "counted"}) or 0

    journal, before = Journal(), count()
    journal.errors = [error]

    await MaintenanceScheduler([journal.job("counted", 10)], journal.clock).step()

    assert count() - before == counted


async def test_a_running_job_is_cancelled() -> None:
    begun, ended = asyncio.Event(), asyncio.Event()

    async def act() -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    maintenance = MaintenanceScheduler([MaintenanceJob("endless", 10, act)])
    running = asyncio.create_task(maintenance.run())
    await begun.wait()

    await maintenance.stop()

    assert ended.is_set()
    assert running.cancelled()


async def test_a_scheduler_that_never_ran_can_be_stopped() -> None:
    await MaintenanceScheduler([]).stop()
