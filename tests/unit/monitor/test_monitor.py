"""The loop of the monitor: what it shows of what it reads."""

import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from services.monitor.metrics import monitor as metrics_text
from services.monitor.monitor import Monitor
from shared.lag.models import GroupState, Health, PartitionReading, Reading, Verdict
from shared.store.memory.write_probe import MemoryWriteProbe
from shared.store.ports import AccessRefused, StoreUnavailable

AT = 1_790_000_000.0
PART = ("calls.telephony", 0)


class ScriptedReader:
    """Returns readings one after another; an exception is raised."""

    def __init__(self, *readings: Reading | Exception) -> None:
        self.requests = 0
        self.error: str | None = "no broker"
        self._readings = list(readings)

    async def read(self) -> Reading:
        self.requests += 4
        reading = self._readings.pop(0)
        if isinstance(reading, Exception):
            raise reading
        return reading


def reading(at: float, partitions: Mapping[tuple[str, int], PartitionReading], kafka: Health = Health.WELL) -> Reading:
    owners = dict.fromkeys(partitions, "w@h")
    return Reading(AT + at, kafka, Health.UNKNOWN, GroupState.STABLE, 1, partitions, owners, {PART[0]: 60_000})


def behind(at: float, seconds: float) -> PartitionReading:
    return PartitionReading(10, 4, 4, round((AT + at - seconds) * 1000))


def shown(name: str, **labels: str) -> float:
    [value] = [
        sample.value
        for family in text_string_to_metric_families(metrics_text().decode())
        for sample in family.samples
        if sample.name == name and labels.items() <= sample.labels.items()
    ]
    return value


@pytest.fixture
def monitor() -> Iterator[Callable[..., Monitor]]:
    made: list[Monitor] = []

    def make(*readings: Reading | Exception, probe: MemoryWriteProbe | None = None, **options: Any) -> Monitor:
        made.append(Monitor("group", ScriptedReader(*readings), probe or MemoryWriteProbe(), **options))
        return made[-1]

    yield make
    for each in made:
        each.withdraw()


async def test_what_is_read_is_shown(monitor: Callable[..., Monitor]) -> None:
    watching = monitor(reading(0, {PART: behind(0, seconds=2.5)}))

    await watching.look()

    where = {"topic": PART[0], "partition": "0"}
    assert shown("callfold_lag_records", **where) == 6
    assert shown("callfold_lag_seconds", **where) == 2.5
    assert shown("callfold_loss_headroom_seconds", **where) == 57.5
    assert (shown("callfold_end_offset", **where), shown("callfold_committed_offset", **where)) == (10, 4)
    assert shown("callfold_monitor_last_reading_timestamp_seconds") == AT
    assert shown("callfold_group_state", state="stable") == 1


async def test_a_record_from_the_future_has_no_negative_age(monitor: Callable[..., Monitor]) -> None:
    watching = monitor(reading(0, {PART: behind(0, seconds=-30)}))

    await watching.look()

    assert shown("callfold_lag_seconds", topic=PART[0], partition="0") == 0


async def test_a_partition_that_cannot_be_read_any_more_stays_and_is_unknown(monitor: Callable[..., Monitor]) -> None:
    watching = monitor(reading(0, {PART: behind(0, seconds=1)}), reading(1, {}, Health.UNAVAILABLE))

    await watching.look()
    await watching.look()

    where = {"topic": PART[0], "partition": "0"}
    assert math.isnan(shown("callfold_lag_records", **where))
    assert math.isnan(shown("callfold_lag_seconds", **where))
    assert shown("callfold_partition_verdict", verdict="unknown", **where) == 1
    assert shown("callfold_partition_verdict", verdict="ok", **where) == 0
    assert shown("callfold_lag_verdict", verdict="unknown") == 1
    assert shown("callfold_lag_cause", cause="kafka_unavailable") == 1
    assert shown("callfold_dependency_unavailable", dependency="kafka") == 1


async def test_kafka_that_answers_again_is_no_longer_unavailable(monitor: Callable[..., Monitor]) -> None:
    watching = monitor(reading(0, {}, Health.UNAVAILABLE), reading(1, {PART: behind(1, seconds=0)}))

    await watching.look()
    await watching.look()

    assert shown("callfold_dependency_unavailable", dependency="kafka") == 0


@pytest.mark.parametrize(
    ("error", "mongodb", "hidden", "reported"),
    [
        (None, Health.WELL, [], 0),
        (StoreUnavailable("no primary"), Health.UNAVAILABLE, [], 1),
        (AccessRefused("not authorized"), Health.UNKNOWN, ["how fast MongoDB writes: not authorized"], 0),
    ],
)
async def test_how_mongodb_answers_is_a_part_of_the_lag(
    monitor: Callable[..., Monitor], error: StoreUnavailable | None, mongodb: Health, hidden: list[str], reported: int
) -> None:
    watching = monitor(reading(0, {PART: behind(0, seconds=1)}), probe=MemoryWriteProbe(error))

    await watching.probe()
    await watching.look()

    assert watching.lag is not None
    assert (watching.lag.mongodb, list(watching.lag.hidden)) == (mongodb, hidden)
    assert shown("callfold_dependency_unavailable", dependency="mongodb") == reported


async def test_it_is_alive_and_not_ready_while_readings_fail(monitor: Callable[..., Monitor]) -> None:
    watching = monitor(ValueError("a surprise"))

    await watching.look()

    assert (watching.alive, watching.ready, watching.lag) == (True, False, None)


async def test_what_was_found_is_not_shown_any_more_when_a_reading_fails(monitor: Callable[..., Monitor]) -> None:
    watching = monitor(reading(0, {PART: PartitionReading(4, 4, 4, None)}), ValueError("a surprise"))
    await watching.look()
    fine = shown("callfold_lag_verdict", verdict="ok")

    await watching.look()

    where = {"topic": PART[0], "partition": "0"}
    assert (fine, watching.lag) == (1, None)
    assert shown("callfold_lag_verdict", verdict="ok") == 0
    assert shown("callfold_partition_verdict", verdict="unknown", **where) == 1
    assert math.isnan(shown("callfold_lag_seconds", **where))


async def test_it_is_ready_by_what_it_read_last_and_alive_by_its_progress(monitor: Callable[..., Monitor]) -> None:
    now = 0.0
    watching = monitor(reading(0, {}), clock=lambda: now)
    await watching.look()
    fresh = watching.ready

    now = 6.0
    stale = watching.ready, watching.alive
    now = 16.0

    assert fresh
    assert stale == (False, True)
    assert not watching.alive
    assert watching.lag is not None
    assert watching.lag.verdict is Verdict.UNKNOWN
