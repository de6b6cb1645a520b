"""The table of cases: how a partition moved, and the verdict and cause at the end."""

from dataclasses import replace
from typing import Any

import pytest

from shared.lag.history import History
from shared.lag.judge import judge
from shared.lag.models import Cause, Health, Verdict
from tests.support.lag.judging import GROUP
from tests.support.lag.partition import (
    REBALANCING,
    STOPPED,
    Phase,
    kafka_gone,
    merged,
    older,
    readings,
    unreadable,
    without_group,
)

WELL = Phase(60)
NO_MONGODB: dict[str, Any] = {"commits": 0, "mongodb": Health.UNAVAILABLE}
STORM = [Phase(6, **REBALANCING), Phase(4, commits=2000)] * 6

Case = tuple[list[Phase], Verdict, Cause]

HEALTHY: dict[str, Case] = {
    "500 a second with a commit a second": ([WELL], Verdict.OK, Cause.NONE),
    "2,000 a second with a commit every 3 s": ([Phase(90, 2000, every=3)], Verdict.OK, Cause.NONE),
    "a commit every 15 s, as it is set": ([Phase(120, every=15)], Verdict.OK, Cause.NONE),
    "an idle partition": ([Phase(60, 0)], Verdict.OK, Cause.NONE),
    "an idle partition while MongoDB is gone": ([Phase(60, 0, **NO_MONGODB)], Verdict.OK, Cause.NONE),
    "the first reading of an idle partition": ([Phase(1, 0)], Verdict.OK, Cause.NONE),
    "a record an hour that is committed": ([Phase(60, 0), Phase(20, 0, burst=1)], Verdict.OK, Cause.NONE),
    "a healthy rebalance": ([WELL, Phase(5, **REBALANCING)], Verdict.OK, Cause.NONE),
    "a deploy of a quiet night": ([Phase(60, 0), Phase(10, 0, **STOPPED)], Verdict.OK, Cause.NONE),
    "a burst that has drained": ([WELL, Phase(60, commits=1000, burst=20_000)], Verdict.OK, Cause.NONE),
    "half a minute after Kafka came back": (
        [WELL, Phase(30, commits=0, change=kafka_gone), Phase(30, commits=2000)],
        Verdict.OK,
        Cause.NONE,
    ),
}
BEHIND: dict[str, Case] = {
    "workers stopped 10 s ago, as in a deploy": ([WELL, Phase(10, **STOPPED)], Verdict.FALLING_BEHIND, Cause.NO_WORKER),
    "MongoDB slow": ([WELL, Phase(60, commits=1000, every=4, write=0.9)], Verdict.FALLING_BEHIND, Cause.MONGODB_SLOW),
    "MongoDB slow, a commit every 15 s": (
        [WELL, Phase(90, commits=3000, every=15, write=3)],
        Verdict.FALLING_BEHIND,
        Cause.MONGODB_SLOW,
    ),
    "more than is written": ([WELL, Phase(60, 900, commits=600)], Verdict.FALLING_BEHIND, Cause.BACKLOG),
    "a burst that arrives": ([WELL, Phase(20, 2000, commits=1000)], Verdict.FALLING_BEHIND, Cause.BACKLOG),
    "a backlog that stays the same": (
        [WELL, Phase(60, **STOPPED), Phase(90, commits=500)],
        Verdict.FALLING_BEHIND,
        Cause.BACKLOG,
    ),
    "a worker that stopped committing a moment ago": (
        [WELL, Phase(11, commits=0)],
        Verdict.FALLING_BEHIND,
        Cause.UNKNOWN,
    ),
    "a burst that drains": ([WELL, Phase(15, commits=1000, burst=20_000)], Verdict.CATCHING_UP, Cause.BACKLOG),
    "a backlog, seen for 4 s": (
        [Phase(4, commits=700, burst=10_000, change=older)],
        Verdict.CATCHING_UP,
        Cause.BACKLOG,
    ),
    "workers started again": (
        [WELL, Phase(60, **STOPPED), Phase(3, **REBALANCING), Phase(5, commits=2000)],
        Verdict.CATCHING_UP,
        Cause.BACKLOG,
    ),
    "a rebalance storm": ([WELL, *STORM], Verdict.CATCHING_UP, Cause.REBALANCE),
}
STANDING_STILL: dict[str, Case] = {
    "workers stopped 15 s ago": ([WELL, Phase(15, **STOPPED)], Verdict.NO_OWNER, Cause.NO_WORKER),
    "workers stopped in a quiet night": ([Phase(60, 0), Phase(15, 0, **STOPPED)], Verdict.NO_OWNER, Cause.NO_WORKER),
    "no worker since the first reading": ([Phase(4, 0, **STOPPED)], Verdict.NO_OWNER, Cause.NO_WORKER),
    "a killed worker, before its session ends": ([WELL, Phase(30, commits=0)], Verdict.STALLED, Cause.WORKER_FROZEN),
    "a killed worker, after its session": (
        [WELL, Phase(30, commits=0), Phase(1, **STOPPED)],
        Verdict.NO_OWNER,
        Cause.NO_WORKER,
    ),
    "no owner in a group with members": ([WELL, Phase(15, owner=None)], Verdict.NO_OWNER, Cause.UNKNOWN),
    "a rebalance without an end": ([WELL, Phase(15, **REBALANCING)], Verdict.NO_OWNER, Cause.REBALANCE),
    "a worker frozen 13 s ago": ([WELL, Phase(13, commits=0)], Verdict.STALLED, Cause.WORKER_FROZEN),
    "a frozen worker while another joins": (
        [WELL, Phase(20, commits=0), Phase(5, **REBALANCING)],
        Verdict.STALLED,
        Cause.REBALANCE,
    ),
    "a record an hour that is not committed": (
        [Phase(60, 0), Phase(15, 0, commits=0, burst=1)],
        Verdict.STALLED,
        Cause.WORKER_FROZEN,
    ),
    "MongoDB stopped": ([WELL, Phase(15, **NO_MONGODB)], Verdict.STALLED, Cause.MONGODB_UNAVAILABLE),
    "MongoDB stopped, and so did the workers": (
        [WELL, Phase(15, **STOPPED, mongodb=Health.UNAVAILABLE)],
        Verdict.NO_OWNER,
        Cause.MONGODB_UNAVAILABLE,
    ),
    "nothing known of MongoDB": (
        [WELL, Phase(15, commits=0, mongodb=Health.UNKNOWN, write=None)],
        Verdict.STALLED,
        Cause.UNKNOWN,
    ),
    "nothing known of the group": ([WELL, Phase(15, commits=0, change=without_group)], Verdict.STALLED, Cause.UNKNOWN),
    "a record that cannot be read": (
        [WELL, Phase(15, commits=0, change=unreadable)],
        Verdict.STALLED,
        Cause.WORKER_FROZEN,
    ),
}
NOT_KNOWN: dict[str, Case] = {
    "Kafka stopped": ([WELL, Phase(1, change=kafka_gone)], Verdict.UNKNOWN, Cause.KAFKA_UNAVAILABLE),
    "Kafka stopped while workers were": (
        [WELL, Phase(30, **STOPPED), Phase(1, change=kafka_gone)],
        Verdict.UNKNOWN,
        Cause.KAFKA_UNAVAILABLE,
    ),
    "the group cannot be asked": ([WELL, Phase(1, change=without_group)], Verdict.UNKNOWN, Cause.UNKNOWN),
    "the age cannot be read": ([WELL, Phase(1, change=unreadable)], Verdict.UNKNOWN, Cause.UNKNOWN),
    "no worker in the first moment": ([Phase(1, 0, **STOPPED)], Verdict.UNKNOWN, Cause.UNKNOWN),
    "a backlog that has not moved for 11 s": (
        [Phase(11, commits=0, burst=10_000, change=older)],
        Verdict.UNKNOWN,
        Cause.UNKNOWN,
    ),
}
CASES = HEALTHY | BEHIND | STANDING_STILL | NOT_KNOWN


@pytest.mark.parametrize(("phases", "verdict", "cause"), CASES.values(), ids=CASES)
def test_the_movement_of_a_partition_is_judged(phases: list[Phase], verdict: Verdict, cause: Cause) -> None:
    history = History(readings(*phases))

    lag = judge(GROUP, history)

    assert (lag.partitions[0].verdict, lag.partitions[0].cause) == (verdict, cause)
    assert (lag.verdict, lag.cause) == (verdict, cause)


def test_a_group_that_never_committed_is_judged_by_the_same_rules() -> None:
    without_records = judge(GROUP, History(readings(Phase(20, 0), committed=None)))
    with_records = judge(GROUP, History(readings(Phase(20, 1, commits=0), committed=None)))

    assert (without_records.verdict, with_records.verdict) == (Verdict.OK, Verdict.STALLED)
    assert with_records.partitions[0].commits_per_second == 0.0


def test_the_worst_partition_speaks_for_all() -> None:
    slow = readings(WELL, Phase(60, 900, commits=600))
    well = readings(WELL, Phase(60))

    lag = judge(GROUP, History(map(merged, well, slow)))

    assert [part.verdict for part in lag.partitions] == [Verdict.OK, Verdict.FALLING_BEHIND]
    assert (lag.verdict, lag.cause, lag.since) == (Verdict.FALLING_BEHIND, Cause.BACKLOG, lag.partitions[1].since)
    assert (lag.lag, lag.lag_seconds) == (sum(part.lag or 0 for part in lag.partitions), lag.partitions[1].lag_seconds)


def test_a_partition_that_cannot_be_read_stays_and_is_unknown() -> None:
    whole = list(map(merged, readings(WELL), readings(WELL)))
    parts = dict(list(whole[-1].partitions.items())[:1])

    lag = judge(GROUP, [*whole[:-1], replace(whole[-1], partitions=parts)])

    assert [part.verdict for part in lag.partitions] == [Verdict.OK, Verdict.UNKNOWN]
    assert (lag.verdict, lag.lag, lag.lag_seconds) == (Verdict.UNKNOWN, None, None)


def test_a_group_with_a_partition_that_was_never_read_is_never_ok_and_its_lag_is_not_known() -> None:
    *before, last = readings(WELL)

    lag = judge(GROUP, [*before, replace(last, whole=False)])

    assert (lag.verdict, lag.cause) == (Verdict.UNKNOWN, Cause.UNKNOWN)
    assert (lag.lag, lag.lag_seconds) == (None, None)


def test_without_a_reading_all_is_unknown() -> None:
    lag = judge(GROUP, [])

    assert (lag.verdict, lag.lag, lag.lag_seconds, lag.partitions) == (Verdict.UNKNOWN, None, None, [])
