"""Several partitions, and who owns them: a worker that is busy is not a frozen one."""

from collections.abc import Iterator
from dataclasses import replace

from shared.lag.history import History
from shared.lag.judge import judge
from shared.lag.kafka.members import owner_name
from shared.lag.models import Cause, Reading, Verdict
from tests.support.lag.judging import GROUP, judged
from tests.support.lag.partition import STOPPED, Phase, merged, older, readings

BEFORE = 60
BUSY, OTHER = "faust@10.0.0.1#aaaaaa", "faust@10.0.0.1#bbbbbb"


def owned(owner: str, *phases: Phase) -> Iterator[Reading]:
    return readings(*(replace(phase, owner=owner) for phase in phases))


def one_after_the_other(turn: int, turns: int, count: int, *, outage: int = 60) -> Iterator[Reading]:
    """Return readings of partitions that one worker drains in turns, after an outage; each turn is `turn` seconds."""
    begun = [Phase(BEFORE, 40), Phase(outage, 40, **STOPPED)]
    each = [
        [Phase(turn, 40, commits=400 if number == of else 0) for _ in range(turns) for of in range(count)]
        for number in range(count)
    ]
    return map(merged, *(readings(*begun, *phases) for phases in each))


def test_a_partition_waits_while_its_owner_drains_others() -> None:
    lags = list(judged(one_after_the_other(18, 3, 3)))[BEFORE + 60 + 10 :]

    seen = {(part.verdict, part.cause) for lag in lags for part in lag.partitions if part.verdict is not Verdict.OK}
    assert seen <= {(Verdict.FALLING_BEHIND, Cause.BACKLOG), (Verdict.CATCHING_UP, Cause.BACKLOG)}
    assert (Verdict.FALLING_BEHIND, Cause.BACKLOG) in seen


def test_a_partition_that_waits_for_a_minute_is_stalled_though_its_owner_commits_in_another() -> None:
    lags = list(judged(map(merged, owned(BUSY, Phase(150)), owned(BUSY, Phase(BEFORE), Phase(90, commits=0)))))

    waiting = [lag.partitions[1] for lag in lags[BEFORE:]]
    stalled = next(second for second, part in enumerate(waiting) if part.verdict is Verdict.STALLED)
    assert 58 <= stalled <= 62
    assert {(part.verdict, part.cause) for part in waiting[14:stalled]} == {(Verdict.FALLING_BEHIND, Cause.BACKLOG)}
    assert {(part.verdict, part.cause) for part in waiting[stalled:]} == {(Verdict.STALLED, Cause.UNKNOWN)}


def test_of_two_workers_on_a_host_the_frozen_one_is_known_within_15_seconds() -> None:
    frozen = owned(OTHER, Phase(BEFORE), Phase(15, commits=0))

    lag = judge(GROUP, history_of(owned(BUSY, Phase(BEFORE + 15)), frozen))

    assert [part.verdict for part in lag.partitions] == [Verdict.OK, Verdict.STALLED]
    assert lag.partitions[1].cause is Cause.WORKER_FROZEN


def test_a_worker_that_freezes_while_it_drains_is_known_within_15_seconds() -> None:
    drained = owned(BUSY, Phase(BEFORE), Phase(30, commits=0), Phase(20, commits=2000), Phase(15, commits=0))
    waiting = owned(BUSY, Phase(BEFORE), Phase(65, commits=0))

    lag = judge(GROUP, history_of(drained, waiting))

    assert {(part.verdict, part.cause) for part in lag.partitions} == {(Verdict.STALLED, Cause.WORKER_FROZEN)}


def test_in_the_first_seconds_a_partition_is_known_by_what_its_owner_commits_elsewhere() -> None:
    moving = owned(BUSY, Phase(6, commits=700, burst=10_000, change=older))
    waiting = owned(BUSY, Phase(6, commits=0, burst=10_000, change=older))

    lag = judge(GROUP, history_of(moving, waiting))

    assert (lag.partitions[1].verdict, lag.partitions[1].cause) == (Verdict.FALLING_BEHIND, Cause.BACKLOG)


def test_workers_on_one_host_have_names_of_their_own() -> None:
    first = owner_name("faust-0b9f1f0e-6c3c-4e6c-8c34-0d2f7a51c9e3", "faust", "/10.0.0.1")
    second = owner_name("faust-5a0d9c1b-0f6e-4b07-9a55-3be1d07f2b44", "faust", "/10.0.0.1")

    assert (first, second) == ("faust@10.0.0.1#51c9e3", "faust@10.0.0.1#7f2b44")


def history_of(*each: Iterator[Reading]) -> History:
    return History(map(merged, *each))
