"""What a tick looks at: the calls that are due, not those that wait."""

from typing import ClassVar

import pytest

from services.worker.folding.schedule import FoldSchedule, Watermark

NOW = 1_700_000_000_000
PARTITIONS = 12
WAITING = 10_000
DUE = 50
_PER_TICK = 10 * PARTITIONS
_PER_DUE_CALL = 200  # it is looked for in the order of all: the logarithm of their number, several times


class Arrival(int):
    """A time that counts how often it is looked at."""

    looks: ClassVar[int] = 0

    def __lt__(self, other: int) -> bool:
        Arrival.looks += 1
        return int(self) < int(other)

    def __le__(self, other: int) -> bool:
        Arrival.looks += 1
        return int(self) <= int(other)

    def __gt__(self, other: int) -> bool:
        Arrival.looks += 1
        return int(self) > int(other)

    def __ge__(self, other: int) -> bool:
        Arrival.looks += 1
        return int(self) >= int(other)

    def __add__(self, other: int) -> int:
        Arrival.looks += 1
        return int(self) + int(other)


@pytest.fixture
def schedule() -> FoldSchedule:
    """Return a schedule with calls that arrived a millisecond after each other, in all partitions, and are not due."""
    schedule = FoldSchedule()
    for number in range(WAITING):
        arrived = Arrival(NOW + number)
        schedule.observe(f"o/{number}", number % PARTITIONS, arrived, stale_since=arrived)
    looks_of_a_tick(schedule, NOW, 200)  # notes once of each call that it has been stale for long
    return schedule


def looks_of_a_tick(schedule: FoldSchedule, until: int, limit: int, *, at_end: bool = False) -> tuple[int, int]:
    """Return how many calls a tick in a backlog returned, and how often it looked at arrivals."""
    watermark = Watermark(until, at_end)
    Arrival.looks = 0
    due = schedule.pop_due(dict.fromkeys(range(PARTITIONS), watermark), NOW + 10**6, limit)
    return len(due), Arrival.looks


def test_a_tick_at_which_nothing_is_due_looks_at_the_first_call_of_each_partition(schedule: FoldSchedule) -> None:
    due, looks = looks_of_a_tick(schedule, NOW, 200)

    assert due == 0
    assert looks <= _PER_TICK


def test_a_tick_looks_at_the_calls_that_are_due(schedule: FoldSchedule) -> None:
    due, looks = looks_of_a_tick(schedule, NOW + 30_000 + DUE - 1, 200)

    assert due == DUE
    assert looks <= _PER_TICK + DUE * _PER_DUE_CALL


@pytest.mark.parametrize("at_end", [False, True], ids=["quiet", "at the end"])
def test_where_more_are_due_than_may_be_folded_later_ticks_look_at_those_that_are_folded(
    schedule: FoldSchedule, at_end: bool
) -> None:
    looks_of_a_tick(schedule, NOW + 10**6, DUE, at_end=at_end)

    due, looks = looks_of_a_tick(schedule, NOW + 10**6, DUE, at_end=at_end)

    assert due == DUE
    assert looks <= _PER_TICK + DUE * _PER_DUE_CALL


def test_calls_that_go_on_are_looked_at_once_in_a_quiet_period(schedule: FoldSchedule) -> None:
    for number in range(WAITING):
        schedule.observe(f"o/{number}", number % PARTITIONS, Arrival(NOW + 10**5), stale_since=None)
    looks_of_a_tick(schedule, NOW + 60_000, 200)

    due, looks = looks_of_a_tick(schedule, NOW + 60_250, 200)

    assert due == 0
    assert looks <= _PER_TICK


def looks_by_slice(schedule: FoldSchedule, watermark: Watermark) -> list[int]:
    """Return how often each slice of the search for due calls looked at arrivals."""
    looks = []
    Arrival.looks = 0
    for _ in schedule.find_due({0: watermark}, NOW + 10**6):
        looks.append(Arrival.looks)
        Arrival.looks = 0
    return [*looks, Arrival.looks]


def test_all_that_become_due_or_are_due_no_more_at_once_are_looked_at_in_slices() -> None:
    schedule = FoldSchedule()
    for number in range(WAITING):
        schedule.observe(f"o/{number}", 0, Arrival(NOW), stale_since=Arrival(NOW + number))

    became_due = looks_by_slice(schedule, Watermark(NOW + 10**6, at_end=False))
    due_no_more = looks_by_slice(schedule, Watermark(NOW + 10_000, at_end=False))
    at_the_end = looks_by_slice(schedule, Watermark(NOW + 10_000, at_end=True))

    for looks in (became_due, due_no_more, at_the_end):
        assert max(looks) < sum(looks) / 4


def test_what_was_found_before_is_not_looked_for_again() -> None:
    schedule = FoldSchedule()
    for number in range(WAITING):
        schedule.observe(f"o/{number}", 0, Arrival(NOW), stale_since=Arrival(NOW + number))
    looks_by_slice(schedule, Watermark(NOW + 10**6, at_end=True))

    due, looks = looks_of_a_tick(schedule, NOW + 10**6, DUE, at_end=True)

    assert due == DUE
    assert looks <= _PER_TICK + DUE * _PER_DUE_CALL
