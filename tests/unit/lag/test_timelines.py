"""The judgement second by second: how soon it comes, that it stays, and that it goes by itself."""

import random

import pytest

from shared.lag.models import Verdict
from tests.support.lag.judging import changes, judged, verdicts
from tests.support.lag.partition import REBALANCING, START, STOPPED, Phase, kafka_gone, readings

BEFORE = 60
STARTED = [Phase(3, **REBALANCING), Phase(120, commits=2000)]
TROUBLE = {Verdict.STALLED, Verdict.NO_OWNER}


def seconds_until(verdict: Verdict, *phases: Phase) -> int:
    return verdicts(readings(Phase(BEFORE), *phases))[BEFORE:].index(verdict) + 1


def random_commits(arrivals: float, share: float | None, longest: int, count: int) -> list[Phase]:
    """Return phases with a commit at the end of each; `share` of what arrives, more or less, None for all."""
    drawn = random.Random(1)
    lengths = [drawn.randint(1, longest) for _ in range(count)]
    return [
        Phase(
            each,
            arrivals,
            every=each,
            commits=None if share is None else int(arrivals * each * share * drawn.uniform(0.5, 1.5)),
        )
        for each in lengths
    ]


@pytest.mark.parametrize(
    "phases",
    [
        [Phase(600)],
        [Phase(600, 2000)],
        [Phase(600, 2000, every=3)],
        [Phase(600, 0.1)],
        random_commits(500, None, 4, 150),
        random_commits(2000, None, 6, 150),
        [Phase(60, 0), *[Phase(30, 0, burst=1)] * 5],
    ],
    ids=[
        "500/s",
        "2,000/s",
        "a commit in 3 s",
        "few",
        "random commits",
        "slow random commits",
        "a record now and then",
    ],
)
def test_a_partition_that_flows_is_ok_every_second(phases: list[Phase]) -> None:
    assert changes(readings(*phases)) == [Verdict.OK]


@pytest.mark.parametrize("seconds", [3, 7, 10])
def test_a_deploy_of_all_workers_is_no_trouble(seconds: int) -> None:
    deploy = [Phase(seconds - 2, **STOPPED), Phase(2, **REBALANCING), Phase(60, commits=2000)]

    found = changes(readings(Phase(BEFORE), *deploy))

    assert TROUBLE.isdisjoint(found)
    assert found[-1] is Verdict.OK


def test_workers_that_stop_are_known_within_15_seconds_and_their_lag_at_once() -> None:
    lags = list(judged(readings(Phase(BEFORE), Phase(60, **STOPPED), *STARTED)))

    assert [lag.lag for lag in lags[BEFORE : BEFORE + 3]] == [1000, 1500, 2000]
    assert [lag.lag_seconds for lag in lags[BEFORE : BEFORE + 3]] == [2.0, 3.0, 4.0]
    assert seconds_until(Verdict.NO_OWNER, Phase(60, **STOPPED)) <= 13
    assert lags[-1].verdict is Verdict.OK


def test_a_killed_worker_is_known_before_its_session_ends() -> None:
    found = changes(readings(Phase(BEFORE), Phase(30, commits=0), Phase(20, **STOPPED), *STARTED))

    assert seconds_until(Verdict.STALLED, Phase(30, commits=0)) <= 13
    assert found == [
        Verdict.OK,
        Verdict.FALLING_BEHIND,
        Verdict.STALLED,
        Verdict.NO_OWNER,
        Verdict.FALLING_BEHIND,
        Verdict.CATCHING_UP,
        Verdict.OK,
    ]


def test_a_second_stop_is_known_as_soon_as_the_first() -> None:
    again = [Phase(40, **STOPPED), *STARTED, Phase(40, **STOPPED)]

    found = verdicts(readings(Phase(BEFORE), *again))[-40:]

    assert found.index(Verdict.NO_OWNER) <= 12


def test_trouble_stays_until_it_is_over() -> None:
    found = verdicts(readings(Phase(BEFORE), Phase(600, commits=0)))

    assert set(found[BEFORE + 15 :]) == {Verdict.STALLED}


def test_a_worker_that_falls_behind_by_commits_of_any_size_is_not_said_to_catch_up() -> None:
    found = changes(readings(Phase(BEFORE), *random_commits(500, 0.7, 6, 100)))

    assert found == [Verdict.OK, Verdict.FALLING_BEHIND]


def test_a_backlog_that_drains_by_commits_of_any_size_catches_up_until_it_is_gone() -> None:
    found = changes(readings(Phase(BEFORE), Phase(60, **STOPPED), *random_commits(500, 1.6, 3, 120)))

    assert found[-3:] == [Verdict.FALLING_BEHIND, Verdict.CATCHING_UP, Verdict.OK]


def test_a_rebalance_storm_is_not_ok_while_it_lasts() -> None:
    storm = [Phase(3, **REBALANCING), Phase(3, commits=2000)] * 20

    found = verdicts(readings(Phase(BEFORE), *storm, Phase(BEFORE)))

    assert Verdict.OK not in found[BEFORE + 30 : BEFORE + 120]
    assert found[-1] is Verdict.OK


def test_the_time_to_drain_comes_true() -> None:
    lags = list(judged(readings(Phase(BEFORE), Phase(60, **STOPPED), Phase(60, commits=2000))))

    started = BEFORE + 60
    gone = next(index for index, lag in enumerate(lags) if index > started and not lag.lag)
    assert lags[started - 1].partitions[0].drain_seconds == float("inf")
    assert lags[started + 5].partitions[0].drain_seconds == pytest.approx(gone - started - 5, abs=2)


def test_it_says_since_when_it_is_not_ok() -> None:
    phases = Phase(BEFORE), Phase(30, **STOPPED), *STARTED

    lags = list(judged(readings(*phases)))

    assert lags[BEFORE - 1].since is None
    assert {lag.since for lag in lags if lag.verdict is Verdict.NO_OWNER} == {START + BEFORE + 1}
    assert lags[-1].since is None


def test_of_kafka_it_knows_nothing_while_it_is_gone_and_is_ok_soon_after() -> None:
    found = verdicts(readings(Phase(BEFORE), Phase(30, change=kafka_gone), Phase(60, commits=2000)))

    assert set(found[BEFORE : BEFORE + 30]) == {Verdict.UNKNOWN}
    assert set(found[BEFORE + 30 :]) <= {Verdict.OK, Verdict.FALLING_BEHIND, Verdict.CATCHING_UP}
    assert found[-1] is Verdict.OK
