"""When a stale call is due, and how far the worker has written."""

import pytest
from faust.types import TP

from services.worker.folding.schedule import FoldSchedule, Watermark
from services.worker.folding.watermarks import Watermarks
from shared.store.models import StaleCall
from tests.support.worker.memory_worker import TELEPHONY, TRANSCRIPTION, Clock

ARRIVED = 1_700_000_000_000
BEHIND = Watermark(ARRIVED - 60_000, at_end=False)
SECOND = 1_000


def waiting(call: str = "o/a", *, partition: int = 0, arrived: int = ARRIVED, marked: int = ARRIVED) -> StaleCall:
    return StaleCall(call, partition, arrived, marked)


def due(
    schedule: FoldSchedule, watermark: Watermark, now: int = ARRIVED, *, partition: int = 0, limit: int = 100
) -> list[str]:
    return [each.call for each in schedule.pop_due({partition: watermark}, now, limit)]


def knowing(*calls: StaleCall) -> FoldSchedule:
    schedule = FoldSchedule()
    schedule.add(calls)
    return schedule


# When a call is due


def test_nothing_is_due_in_a_backlog_however_long_it_has_been_stale() -> None:
    schedule = knowing(waiting())

    assert due(schedule, BEHIND, ARRIVED + 3_600_000) == []
    assert len(schedule) == 1


@pytest.mark.parametrize(("until", "calls"), [(ARRIVED + 30_000 - 1, []), (ARRIVED + 30_000, ["o/a"])])
def test_in_a_backlog_a_call_must_have_been_quiet_for_thirty_seconds(until: int, calls: list[str]) -> None:
    assert due(knowing(waiting()), Watermark(until, at_end=False), until + 2_001) == calls


@pytest.mark.parametrize(("until", "calls"), [(ARRIVED + SECOND - 1, []), (ARRIVED + SECOND, ["o/a"])])
def test_a_call_is_due_when_both_topics_are_written_a_second_past_its_last_arrival(
    until: int, calls: list[str]
) -> None:
    assert due(knowing(waiting()), Watermark(until, at_end=False)) == calls


@pytest.mark.parametrize(("after", "calls"), [(4_999, []), (5_000, ["o/a"])])
def test_an_active_call_is_due_after_five_seconds_stale_at_the_end(after: int, calls: list[str]) -> None:
    talking = knowing(waiting(arrived=ARRIVED + after))

    assert due(talking, Watermark(ARRIVED + after, at_end=True), ARRIVED + after) == calls


def test_an_active_call_is_not_due_before_the_end() -> None:
    talking = knowing(waiting(arrived=ARRIVED + 60_000))

    assert due(talking, Watermark(ARRIVED + 60_000, at_end=False), ARRIVED + 60_000) == []


def test_a_due_call_is_returned_once() -> None:
    schedule = knowing(waiting())
    watermark = Watermark(ARRIVED + SECOND, at_end=False)

    assert due(schedule, watermark) == ["o/a"]
    assert due(schedule, watermark) == []
    assert len(schedule) == 0


def test_no_more_than_the_limit_is_returned_and_the_rest_stays() -> None:
    schedule = knowing(*(waiting(f"o/{number}") for number in range(5)))
    watermark = Watermark(ARRIVED + SECOND, at_end=False)

    assert len(due(schedule, watermark, limit=3)) == 3
    assert len(due(schedule, watermark, limit=3)) == 2


def test_of_more_than_the_limit_the_oldest_and_the_newest_are_returned() -> None:
    schedule = knowing(*(waiting(f"o/{number}", marked=ARRIVED + number) for number in (3, 1, 5, 2, 4, 0)))

    assert due(schedule, Watermark(ARRIVED + SECOND, at_end=True), limit=4) == ["o/0", "o/1", "o/4", "o/5"]
    assert len(schedule) == 2


def test_calls_of_partitions_that_the_worker_does_not_own_are_not_due() -> None:
    schedule = knowing(waiting(partition=1))

    assert due(schedule, Watermark(ARRIVED + SECOND, at_end=True), partition=0) == []


def test_calls_of_partitions_that_were_lost_are_dropped() -> None:
    schedule = knowing(waiting("o/a", partition=0), waiting("o/b", partition=1))

    schedule.drop_others([1])

    assert len(schedule) == 1
    assert due(schedule, Watermark(ARRIVED + SECOND, at_end=True), partition=1) == ["o/b"]


def test_a_later_arrival_postpones_a_call_and_an_earlier_one_does_not_advance_it() -> None:
    schedule = knowing(waiting())
    schedule.observe("o/a", 0, ARRIVED + 10 * SECOND, stale_since=None)
    schedule.observe("o/a", 0, ARRIVED, stale_since=None)

    assert due(schedule, Watermark(ARRIVED + SECOND, at_end=False)) == []
    assert due(schedule, Watermark(ARRIVED + 11 * SECOND, at_end=False)) == ["o/a"]


def test_a_call_is_stale_since_its_first_update_so_that_later_ones_cannot_postpone_it_for_ever() -> None:
    schedule = knowing(waiting())
    schedule.observe("o/a", 0, ARRIVED + 4_900, stale_since=ARRIVED + 4_900)

    assert due(schedule, Watermark(ARRIVED + 5_000, at_end=True), ARRIVED + 5_000) == ["o/a"]


def test_a_call_that_another_update_made_stale_is_stale_since_its_last_arrival() -> None:
    schedule = FoldSchedule()
    schedule.observe("o/a", 0, ARRIVED, stale_since=None)

    assert due(schedule, Watermark(ARRIVED + 500, at_end=True), ARRIVED + 5_000) == ["o/a"]


@pytest.mark.parametrize(("fold_seconds", "pause"), [(0.001, 2_000), (0.04, 2_000), (0.2, 10_000), (3.0, 150_000)])
def test_after_a_fold_a_call_is_not_due_for_two_seconds_or_fifty_times_as_long_as_the_fold(
    fold_seconds: float, pause: int
) -> None:
    schedule = FoldSchedule()
    schedule.folded("o/a", ARRIVED, fold_seconds)
    schedule.add([waiting()])
    watermark = Watermark(ARRIVED + 3_600_000, at_end=True)

    assert due(schedule, watermark, ARRIVED + pause - 1) == []
    assert due(schedule, watermark, ARRIVED + pause) == ["o/a"]


# Watermarks

T0, S0, T1, S1 = TP(TELEPHONY, 0), TP(TRANSCRIPTION, 0), TP(TELEPHONY, 1), TP(TRANSCRIPTION, 1)


class Positions:
    """In place of the consumer: by partition, until when it is written, and its position if that is the end."""

    def __init__(self, until: dict[TP, int], ends: dict[TP, int]) -> None:
        self.until = until
        self.ends = ends

    def written_until(self, tp: TP) -> int:
        return self.until.get(tp, 0)

    def end_position(self, tp: TP) -> int | None:
        return self.ends.get(tp)


@pytest.fixture
def clock() -> Clock:
    return Clock(ARRIVED)


@pytest.fixture
def watermarks(clock: Clock) -> Watermarks:
    return Watermarks((TELEPHONY, TRANSCRIPTION), clock)


def test_the_watermark_is_that_of_the_topic_that_is_behind(watermarks: Watermarks) -> None:
    far_ahead = Positions({T0: ARRIVED, S0: ARRIVED - 3_600_000}, {})

    assert watermarks.observe(far_ahead, {T0, S0}) == {0: Watermark(ARRIVED - 3_600_000, at_end=False)}


def test_a_topic_at_its_end_does_not_hide_the_backlog_of_the_other(watermarks: Watermarks, clock: Clock) -> None:
    backlog = Positions({T0: ARRIVED, S0: ARRIVED - 3_600_000}, {T0: 7})
    watermarks.observe(backlog, {T0, S0})
    clock.move(1)

    assert watermarks.observe(backlog, {T0, S0}) == {0: Watermark(ARRIVED - 3_600_000, at_end=False)}


def test_one_observation_at_the_end_is_not_enough(watermarks: Watermarks) -> None:
    at_the_end = Positions({}, {T0: 7, S0: 0})

    assert watermarks.observe(at_the_end, {T0, S0}) == {0: Watermark(0, at_end=False)}


def test_twice_at_the_same_end_all_is_written_that_had_arrived_at_the_first(
    watermarks: Watermarks, clock: Clock
) -> None:
    at_the_end = Positions({}, {T0: 7, S0: 0})
    watermarks.observe(at_the_end, {T0, S0})
    clock.move(1)

    assert watermarks.observe(at_the_end, {T0, S0}) == {0: Watermark(ARRIVED, at_end=True)}


def test_an_end_that_moved_in_between_counts_as_the_first_again(watermarks: Watermarks, clock: Clock) -> None:
    watermarks.observe(Positions({}, {T0: 7, S0: 0}), {T0, S0})
    clock.move(1)

    assert watermarks.observe(Positions({T0: 5}, {T0: 8, S0: 0}), {T0, S0}) == {0: Watermark(5, at_end=False)}


def test_an_end_that_was_passed_in_between_counts_as_the_first_again(watermarks: Watermarks) -> None:
    watermarks.observe(Positions({}, {T0: 7, S0: 0}), {T0, S0})
    watermarks.observe(Positions({}, {S0: 0}), {T0, S0})

    assert not watermarks.observe(Positions({}, {T0: 7, S0: 0}), {T0, S0})[0].at_end


def test_a_partition_of_which_one_topic_is_missing_has_no_watermark(watermarks: Watermarks) -> None:
    assert set(watermarks.observe(Positions({}, {}), {T0, S0, T1})) == {0}
    assert set(watermarks.observe(Positions({}, {}), {T1, S1})) == {1}
    assert watermarks.observe(Positions({}, {}), set()) == {}


def test_without_a_backlog_a_call_is_due_about_a_second_after_its_end(watermarks: Watermarks, clock: Clock) -> None:
    ended, at_the_end = knowing(waiting()), Positions({T0: ARRIVED, S0: ARRIVED - 5_000}, {T0: 8, S0: 90})
    waited = 0.0

    while not ended.pop_due(watermarks.observe(at_the_end, {T0, S0}), clock(), 1):
        clock.move(0.25)
        waited += 0.25

    assert 1 <= waited <= 1.5


def test_in_a_backlog_whose_telephony_is_far_ahead_nothing_is_due_until_the_transcripts_catch_up(
    watermarks: Watermarks, clock: Clock
) -> None:
    hour = 3_600_000
    calls = [waiting(f"o/{minute}", arrived=ARRIVED - hour + minute * 60_000) for minute in range(60)]
    schedule = knowing(*calls)
    folded = []

    for minute in range(60):
        drained = Positions({T0: ARRIVED, S0: ARRIVED - hour + minute * 60_000}, {T0: 500})
        clock.move(0.25)
        folded.append(len(schedule.pop_due(watermarks.observe(drained, {T0, S0}), clock(), 100)))

    assert folded == [0] + [1] * 59
