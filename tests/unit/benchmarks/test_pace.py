"""How long the rest takes is told only where earlier runs say it."""

import pytest

from benchmarks.pace import Pace
from benchmarks.plan import Plan
from benchmarks.samples import Run, Samples


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def earlier(**seconds: float) -> Samples:
    """Return a run of three rounds in which the parts took so long."""
    return Samples([], {part: Run(3, False, took, {}) for part, took in seconds.items()})


def test_the_rest_is_what_the_parts_took_last_time_less_what_is_gone() -> None:
    clock = Clock()
    pace = Pace(["ingest", "read", "long"], Plan(rounds=6), [earlier(ingest=300, read=60, long=30)], clock)

    pace.begin("ingest")
    clock.now += 100
    amid_the_first = pace.left()
    pace.begin("read")
    clock.now += 500

    assert amid_the_first == 500 + 120 + 60
    assert pace.left() == 60


def test_a_part_that_nobody_has_seen_whole_leaves_it_open() -> None:
    failed = Samples([], {"read": Run(3, False, 5.0, {}, "TimeoutError: ")})

    pace = Pace(["read", "long"], Plan(), [failed, earlier(long=30)])

    assert pace.left() is None
    pace.begin("long")
    assert pace.left() == pytest.approx(30, abs=5)


def test_a_run_of_the_same_kind_is_gone_by_first() -> None:
    quick = Samples([], {"read": Run(1, True, 7.0, {})})

    pace = Pace(["read"], Plan(rounds=2, quick=True), [earlier(read=300), quick], Clock())

    assert pace.left() == 14.0


def test_a_quick_run_takes_less_than_the_whole_one_that_was_seen() -> None:
    left = Pace(["read"], Plan(quick=True), [earlier(read=300)], Clock()).left()

    assert left is not None
    assert 0 < left < 150
