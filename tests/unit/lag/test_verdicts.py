"""The table of cases: how a partition moved, and the verdict and cause at the end."""

from dataclasses import replace
from typing import Any

import pytest

from shared.lag.history import History
from shared.lag.judge import judge
from shared.lag.models import Cause, GroupState, Health, Verdict
from tests.support.lag.partition import STOPPED, Phase, kafka_gone, readings

WELL = Phase(60)
REBALANCING: dict[str, Any] = {"commits": 0, "owner": None, "group": GroupState.REBALANCING}


CASES: dict[str, tuple[list[Phase], Verdict, Cause]] = {
    "500 a second with a commit a second": ([WELL], Verdict.OK, Cause.NONE),
    "2,000 a second with a commit every 3 s": ([Phase(90, 2000, every=3)], Verdict.OK, Cause.NONE),
    "an idle partition": ([Phase(60, 0)], Verdict.OK, Cause.NONE),
    "the first reading of an idle partition": ([Phase(1, 0)], Verdict.OK, Cause.NONE),
    "workers stopped 10 s ago, as in a deploy": (
        [WELL, Phase(10, **STOPPED)],
        Verdict.FALLING_BEHIND,
        Cause.NO_WORKER,
    ),
    "workers stopped 15 s ago": ([WELL, Phase(15, **STOPPED)], Verdict.NO_OWNER, Cause.NO_WORKER),
    "workers stopped in a quiet night": (
        [Phase(60, 0), Phase(15, 0, **STOPPED)],
        Verdict.NO_OWNER,
        Cause.NO_WORKER,
    ),
    "a worker frozen 15 s ago": ([WELL, Phase(15, commits=0)], Verdict.STALLED, Cause.WORKER_FROZEN),
    "one record an hour, not committed": (
        [Phase(60, 0), Phase(15, 0, commits=0, burst=1)],
        Verdict.STALLED,
        Cause.WORKER_FROZEN,
    ),
    "MongoDB stopped": (
        [WELL, Phase(15, commits=0, mongodb=Health.UNAVAILABLE)],
        Verdict.STALLED,
        Cause.MONGODB_UNAVAILABLE,
    ),
    "MongoDB slow": (
        [WELL, Phase(60, commits=1000, every=4, write=0.9)],
        Verdict.FALLING_BEHIND,
        Cause.MONGODB_SLOW,
    ),
    "Kafka stopped": ([WELL, Phase(1, change=kafka_gone)], Verdict.UNKNOWN, Cause.KAFKA_UNAVAILABLE),
    "a burst that drains": (
        [WELL, Phase(15, commits=1000, burst=20_000)],
        Verdict.CATCHING_UP,
        Cause.BACKLOG,
    ),
    "a burst that has drained": ([WELL, Phase(60, commits=1000, burst=20_000)], Verdict.OK, Cause.NONE),
    "more than is written": ([WELL, Phase(60, 900, commits=600)], Verdict.FALLING_BEHIND, Cause.BACKLOG),
}


@pytest.mark.parametrize(("phases", "verdict", "cause"), CASES.values(), ids=CASES)
def test_the_movement_of_a_partition_is_judged(phases: list[Phase], verdict: Verdict, cause: Cause) -> None:
    history = History(readings(*phases))

    lag = judge("callfold", history)

    assert (lag.partitions[0].verdict, lag.partitions[0].cause) == (verdict, cause)
    assert (lag.verdict, lag.cause) == (verdict, cause)


def test_without_a_reading_all_is_unknown() -> None:
    lag = judge("callfold", [])

    assert (lag.verdict, lag.lag, lag.lag_seconds, lag.partitions) == (Verdict.UNKNOWN, None, None, [])


def test_a_missing_topic_is_never_ok() -> None:
    last = list(readings(WELL))

    lag = judge("callfold", [*last[:-1], replace(last[-1], missing_topics=["calls.transcription"])])

    assert lag.verdict is Verdict.UNKNOWN
