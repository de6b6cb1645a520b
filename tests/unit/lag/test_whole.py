"""The whole group: whether it falls behind or catches up is judged by the sum of its lags."""

from collections.abc import Iterator
from itertools import groupby

import pytest

from shared.lag.models import Cause, Lag, Reading, Verdict
from tests.support.lag.busy import busy_worker
from tests.support.lag.judging import judged
from tests.support.lag.partition import STOPPED, Phase, merged, readings

BEFORE, OUTAGE = 60, 60


def whole(*partitions: Iterator[Reading]) -> list[Lag]:
    return list(judged(map(merged, *partitions)))


def in_turns(turn: int, partitions: int, turns: int) -> list[Lag]:
    """Return what is judged of a worker that drains its partitions in turns after an outage."""
    each = [
        [Phase(turn, 40, commits=400 if number == of else 0) for _ in range(turns) for of in range(partitions)]
        for number in range(partitions)
    ]
    begun = [Phase(BEFORE, 40), Phase(OUTAGE, 40, **STOPPED)]
    return whole(*(readings(*begun, *phases) for phases in each))


def test_a_backlog_that_is_drained_partition_by_partition_is_catching_up_with_its_time_to_drain() -> None:
    lags = in_turns(10, 3, 3)

    draining = lags[BEFORE + OUTAGE + 13 : BEFORE + OUTAGE + 25]
    assert Verdict.FALLING_BEHIND in {part.verdict for lag in draining for part in lag.partitions}
    assert {(lag.verdict, lag.cause) for lag in draining} == {(Verdict.CATCHING_UP, Cause.BACKLOG)}
    assert 10 < (draining[-1].drain_seconds or 0) < 40


def test_a_partition_that_gets_everything_and_grows_has_the_whole_fall_behind() -> None:
    lags = whole(readings(Phase(BEFORE), Phase(60, 900, commits=600)), readings(Phase(120, 1)))

    assert {lag.verdict for lag in lags[BEFORE + 30 :]} == {Verdict.FALLING_BEHIND}
    assert {lag.drain_seconds for lag in lags[BEFORE + 30 :]} == {float("inf")}


def test_one_that_is_stalled_speaks_for_all_though_the_sum_drains() -> None:
    drains = readings(Phase(BEFORE), Phase(30, **STOPPED), Phase(30, commits=2000))
    frozen = readings(*[Phase(BEFORE, owner="worker-2"), Phase(60, commits=0, arrivals=10, owner="worker-2")])

    lag = whole(drains, frozen)[-1]

    assert (lag.verdict, lag.cause) == (Verdict.STALLED, Cause.WORKER_FROZEN)
    assert lag.drain_seconds == float("inf")


@pytest.mark.parametrize("longest", [2, 3])
def test_a_healthy_group_on_a_busy_machine_does_not_go_to_and_fro(longest: int) -> None:
    found = [verdict for verdict, _ in groupby(lag.verdict for lag in judged(busy_worker(300, longest=longest)))]

    assert len(found) <= 3
    assert found[-1] is Verdict.OK
