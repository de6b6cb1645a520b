"""Whatever happens to a group, no number of its lag is negative, and nothing unknown is called ok."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from shared.lag.history import History
from shared.lag.judge import SEVERITY, judge
from shared.lag.models import Cause, GroupState, Health, Lag, PartitionLag, PartitionReading, Reading, Verdict

START = 1_800_000_000.0
GROUP = "callfold"
PARTS = [("calls.telephony", 0), ("calls.telephony", 1), ("calls.transcription", 0)]

offsets = st.integers(0, 50)
ages_ms = st.sampled_from([-5_000, 0, 400, 4_000, 20_000, 3_600_000])


@st.composite
def partition_readings(draw: st.DrawFn, at: float) -> PartitionReading:
    end, committed = draw(offsets), draw(st.none() | offsets)
    position = min(max(committed or 0, draw(st.sampled_from([0, 0, 5]))), end)
    readable = draw(st.sampled_from([True, True, True, False]))
    oldest = int(at * 1000) - draw(ages_ms) if readable and position < end else None
    return PartitionReading(end, committed, position, oldest, readable)


@st.composite
def any_reading(draw: st.DrawFn, at: float) -> Reading:
    seen = draw(st.lists(st.sampled_from(PARTS), unique=True))
    mongodb = draw(st.sampled_from(Health))
    return Reading(
        at=at,
        kafka=draw(st.sampled_from(Health)),
        mongodb=mongodb,
        group=draw(st.sampled_from(GroupState)),
        members=draw(st.none() | st.integers(0, 3)),
        partitions={part: draw(partition_readings(at)) for part in seen},
        owners=dict.fromkeys(draw(st.lists(st.sampled_from(PARTS), unique=True)), "worker"),
        retention_ms=draw(st.sampled_from([{}, {"calls.telephony": 1_000}, {"calls.telephony": None}])),
        mongodb_write_seconds=None if mongodb is Health.UNAVAILABLE else draw(st.sampled_from([None, 0.01, 2.0])),
        whole=draw(st.sampled_from([True, True, False])),
    )


@st.composite
def stories(draw: st.DrawFn) -> list[Reading]:
    """Return readings a second apart, more or less; some are repeated with little change, as real ones are."""
    story: list[Reading] = []
    at = START
    for _ in range(draw(st.integers(1, 6))):
        at += draw(st.sampled_from([1.0, 1.0, 1.0, 3.0, 0.0, -2.0, 3_600.0, -3_600.0]))
        reading = draw(any_reading(at))
        for _ in range(draw(st.sampled_from([1, 1, 5, 15]))):
            story.append(replace(reading, at=at))
            at += 1
    return story


def numbers(part: PartitionLag) -> list[float]:
    each = (
        *(part.end, part.committed, part.lag, part.lag_seconds, part.arrivals_per_second, part.commits_per_second),
        *(part.drain_seconds, part.headroom_seconds),
    )
    return [number for number in each if number is not None]


def judged(story: list[Reading]) -> list[Lag]:
    history, lags = History(), []
    for reading in story:
        history.add(reading)
        lags.append(judge(GROUP, history))
    return lags


@given(stories())
def test_no_number_is_negative_and_nothing_unknown_is_ok(story: list[Reading]) -> None:
    for reading, lag in zip(story, judged(story), strict=True):
        fine = [part for part in lag.partitions if part.verdict is Verdict.OK]
        assert min((number for part in lag.partitions for number in numbers(part)), default=0) >= 0
        assert all(None not in {part.end, part.lag, part.lag_seconds} for part in fine)
        assert not fine or reading.group is not GroupState.UNKNOWN
        assert lag.verdict is not Verdict.OK or (len(fine) == len(lag.partitions) > 0 and reading.whole)


@given(stories())
def test_the_whole_is_the_sum_and_the_worst_of_all_that_were_seen(story: list[Reading]) -> None:
    seen: set[tuple[str, int]] = set()
    for reading, lag in zip(story, judged(story), strict=True):
        seen |= reading.partitions.keys()
        known = lag.partitions if reading.whole else []
        lags, ages = [part.lag for part in known], [part.lag_seconds for part in known]
        assert [(part.topic, part.partition) for part in lag.partitions] == sorted(seen)
        assert lag.lag == (None if None in lags or not lags else sum(each for each in lags if each is not None))
        assert lag.lag_seconds == (None if None in ages or not ages else max(each for each in ages if each is not None))
        worst = max((part.verdict for part in lag.partitions), key=SEVERITY.index, default=Verdict.UNKNOWN)
        drained = {Verdict.CATCHING_UP} if worst is Verdict.FALLING_BEHIND else set()
        assert lag.verdict in {worst, Verdict.UNKNOWN} | drained


@given(stories())
def test_what_is_ok_alone_has_no_cause_and_no_beginning(story: list[Reading]) -> None:
    for lag in judged(story):
        judgements: list[Lag | PartitionLag] = [lag, *lag.partitions]
        for verdict, cause, since in [(each.verdict, each.cause, each.since) for each in judgements]:
            fine = verdict is Verdict.OK
            assert (cause is Cause.NONE, since is None) == (fine, fine)
