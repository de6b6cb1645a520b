"""What is done from time to time, and what becomes of the rest when one of it fails."""

import asyncio

import pytest

from services.worker.maintenance.scheduler import MaintenanceJob, MaintenanceScheduler
from shared.kafka.errors import KafkaUnavailable
from shared.process.metrics import WORKER
from shared.store.ports import StoreUnavailable


class Clock:
    """A monotonic clock that is moved by hand; seconds."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


class Diary:
    """Chores that write down when they were done."""

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


async def test_each_is_done_at_once_and_then_when_it_is_due() -> None:
    diary = Diary()
    maintenance = MaintenanceScheduler([diary.job("often", 10), diary.job("seldom", 25)], diary.clock)

    for _ in range(31):
        await maintenance.step()
        diary.clock.now += 1

    assert [at for name, at in diary.done if name == "often"] == [100, 110, 120, 130]
    assert [at for name, at in diary.done if name == "seldom"] == [100, 125]


async def test_one_that_takes_longer_than_its_interval_leaves_time_in_between() -> None:
    diary = Diary()
    diary.takes = 60
    maintenance = MaintenanceScheduler([diary.job("slow", 10)], diary.clock)

    for _ in range(3):
        await maintenance.step()
    diary.clock.now += 10
    await maintenance.step()

    assert [at for _, at in diary.done] == [100, 170]


@pytest.mark.parametrize("error", [StoreUnavailable("away"), KafkaUnavailable("away"), KeyError("a mistake of ours")])
async def test_one_that_fails_holds_up_no_other_and_is_done_again_the_next_time(error: Exception) -> None:
    diary = Diary()
    diary.errors = [error]
    maintenance = MaintenanceScheduler([diary.job("fails", 10), diary.job("works", 10)], diary.clock)

    await maintenance.step()
    diary.clock.now += 10
    await maintenance.step()

    assert diary.done == [("fails", 100), ("works", 100), ("fails", 110), ("works", 110)]


@pytest.mark.parametrize(
    ("error", "counted"),
    [(StoreUnavailable("away"), 0), (KafkaUnavailable("away"), 0), (KeyError("a mistake of ours"), 1)],
)
async def test_only_a_mistake_of_ours_is_counted(error: Exception, counted: int) -> None:
    def count() -> float:
        return WORKER.get_sample_value("callfold_maintenance_failures_total", {"job": "counted"}) or 0

    diary, before = Diary(), count()
    diary.errors = [error]

    await MaintenanceScheduler([diary.job("counted", 10)], diary.clock).step()

    assert count() - before == counted


async def test_they_are_stopped_in_the_middle() -> None:
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


async def test_what_never_ran_is_stopped_without_trouble() -> None:
    await MaintenanceScheduler([]).stop()
