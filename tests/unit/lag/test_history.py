"""What a history keeps, and what it makes of clocks and offsets that jump."""

from dataclasses import replace

import pytest

from shared.lag.history import History
from shared.lag.judge import judge
from shared.lag.models import Reading, Verdict
from shared.lag.trail import WINDOW_SECONDS
from tests.support.lag.judging import GROUP, verdicts
from tests.support.lag.partition import START, TOPIC, Phase, older, readings

BEFORE = 60


def later(reading: Reading, seconds: float) -> Reading:
    return replace(reading, at=reading.at + seconds)


@pytest.mark.parametrize("seconds", [3_600, -3_600, 9, -9])
def test_a_clock_that_is_set_makes_no_trouble(seconds: float) -> None:
    idle = list(readings(Phase(BEFORE, 0), Phase(BEFORE, 0)))
    jumped = [*idle[:BEFORE], *(later(reading, seconds) for reading in idle[BEFORE:])]

    assert set(verdicts(jumped)) == {Verdict.OK}


def test_a_clock_that_is_set_a_little_does_not_hide_trouble() -> None:
    frozen = list(readings(Phase(BEFORE), Phase(20, commits=0)))
    jumped = [*frozen[: BEFORE + 5], *(later(reading, -3) for reading in frozen[BEFORE + 5 :])]

    assert verdicts(jumped)[-1] is Verdict.STALLED


def test_records_of_the_future_have_the_age_zero() -> None:
    lags = [judge(GROUP, [later(reading, -3_600)]) for reading in readings(Phase(5, commits=0))]

    assert {lag.lag_seconds for lag in lags} == {0.0}


def test_offsets_that_are_set_back_are_lag_and_no_commits() -> None:
    before = list(readings(Phase(BEFORE)))
    part = before[-1].partitions[TOPIC, 0]
    rewound = replace(part, committed=1_000, position=1_000, oldest=int(before[0].at * 1000))

    lag = judge(GROUP, [*before, replace(later(before[-1], 1), partitions={(TOPIC, 0): rewound})])

    assert (lag.lag, lag.verdict) == (part.end - 1_000, Verdict.FALLING_BEHIND)
    assert lag.partitions[0].commits_per_second is None


def test_a_topic_that_is_made_again_starts_anew() -> None:
    first, again = readings(Phase(BEFORE)), readings(Phase(5), start=START + BEFORE)

    lag = judge(GROUP, [*first, *again])

    assert lag.verdict is Verdict.OK
    assert lag.partitions[0].arrivals_per_second == 500


def test_records_that_retention_deletes_are_no_commits() -> None:
    unread = [
        replace(reading, partitions={(TOPIC, 0): replace(reading.partitions[TOPIC, 0], position=index * 100)})
        for index, reading in enumerate(readings(Phase(30, commits=0), committed=None))
    ]

    lag = judge(GROUP, unread)

    assert (lag.verdict, lag.partitions[0].commits_per_second) == (Verdict.STALLED, 0.0)


def test_the_headroom_is_the_time_until_retention_deletes_the_oldest_record() -> None:
    *_, last = readings(Phase(10, change=older))

    kept_for_a_day = judge(GROUP, [replace(last, retention_ms={TOPIC: 86_400_000})]).partitions[0]
    kept_for_a_second = judge(GROUP, [replace(last, retention_ms={TOPIC: 1_000})]).partitions[0]
    kept_for_ever = judge(GROUP, [replace(last, retention_ms={TOPIC: None})]).partitions[0]
    not_known = judge(GROUP, [replace(last, retention_ms={})]).partitions[0]

    assert kept_for_a_day.headroom_seconds == pytest.approx(86_400 - 3_601)
    assert kept_for_a_second.headroom_seconds == 0.0
    assert kept_for_ever.headroom_seconds == float("inf")
    assert not_known.headroom_seconds is None


def test_the_readings_of_an_hour_are_not_kept() -> None:
    history = History(readings(Phase(3_600, 1)))

    samples = history.trails[TOPIC, 0].samples

    assert len(samples) < 80
    assert samples[-1].now - samples[0].now == pytest.approx(WINDOW_SECONDS, abs=5)
