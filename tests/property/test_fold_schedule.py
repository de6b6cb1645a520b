"""The fold schedule returns what a schedule that looks at every waiting call returns."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from services.worker.folding.schedule import ACTIVE_MS, BACKLOG_MS, BACKLOG_QUIET_MS, QUIET_MS, FoldSchedule, Watermark
from shared.store.models import StaleCall

NOW = 1_700_000_000_000
# Few values, on both sides of each limit.
TIMES = st.sampled_from([0, 1, 999, 1_000, 1_001, 2_000, 2_001, 4_999, 5_000, 6_000, 30_000, 31_000, 36_000])
CALLS = st.sampled_from("abcdef")
PARTITIONS = st.sampled_from([0, 1])
OBSERVED = st.tuples(st.just("observe"), CALLS, PARTITIONS, TIMES, st.none() | TIMES)
FOLDED = st.tuples(st.just("folded"), CALLS, st.sampled_from([0.0, 0.041, 0.2, 1.0]))
OWNED = st.tuples(st.just("drop_others"), st.sets(PARTITIONS))
WATERMARKS = st.dictionaries(PARTITIONS, st.tuples(TIMES, st.booleans()))
TICKED = st.tuples(st.just("tick"), TIMES, WATERMARKS, st.integers(1, 4))


class NaiveSchedule:
    """The rules of `FoldSchedule`, applied to all waiting calls at each tick."""

    def __init__(self) -> None:
        self.waiting: dict[str, StaleCall] = {}
        self.not_before: dict[str, int] = {}

    def observe(self, call: str, partition: int, last_arrival: int, *, stale_since: int | None) -> None:
        since = last_arrival if stale_since is None else stale_since
        known = self.waiting.setdefault(call, StaleCall(call, partition, last_arrival, since))
        self.waiting[call] = replace(known, last_arrival=max(known.last_arrival, last_arrival))

    def pop_due(self, watermarks: Mapping[int, Watermark], now: int, limit: int) -> list[StaleCall]:
        due = [
            each
            for each in self.waiting.values()
            if self.not_before.get(each.call, 0) <= now and self.is_due(each, watermarks.get(each.partition), now)
        ]
        due.sort(key=lambda each: each.stale_since)
        if len(due) > limit:
            newest = limit // 2
            due = due[: limit - newest] + due[len(due) - newest :]
        for each in due:
            del self.waiting[each.call]
        return due

    def folded(self, call: str, now: int, seconds: float) -> None:
        self.not_before[call] = now + max(2_000, int(50_000 * seconds))

    def drop_others(self, partitions: set[int]) -> None:
        self.waiting = {call: each for call, each in self.waiting.items() if each.partition in partitions}

    @staticmethod
    def is_due(each: StaleCall, watermark: Watermark | None, now: int) -> bool:
        if watermark is None:
            return False
        pause = QUIET_MS if now - watermark.until <= BACKLOG_MS else BACKLOG_QUIET_MS
        quiet = watermark.until >= each.last_arrival + pause
        return quiet or (watermark.at_end and now >= each.stale_since + ACTIVE_MS)


def outcomes(schedule: Any, steps: list[tuple[Any, ...]]) -> list[object]:
    """Return what each tick returns, and a last one to which all is due; time passes with the ticks."""
    now, found = NOW, list[object]()
    for step in steps:
        match step:
            case "observe", call, partition, arrival, since:
                schedule.observe(call, partition, NOW + arrival, stale_since=None if since is None else NOW + since)
            case "folded", call, seconds:
                schedule.folded(call, now, seconds)
            case "drop_others", partitions:
                schedule.drop_others(partitions)
            case "tick", passed, written, limit:
                now += passed
                watermarks = {each: Watermark(NOW + until, at_end) for each, (until, at_end) in written.items()}
                found.append(schedule.pop_due(watermarks, now, limit))
    everywhere = {partition: Watermark(now + 10**9, at_end=True) for partition in (0, 1)}
    return [*found, schedule.pop_due(everywhere, now + 10**8, 100)]


@settings(max_examples=500)
@given(st.lists(OBSERVED | OBSERVED | FOLDED | TICKED | TICKED | OWNED, max_size=40))
def test_the_same_calls_are_due_in_the_same_order_as_if_each_tick_looked_at_all(steps: list[tuple[Any, ...]]) -> None:
    assert outcomes(FoldSchedule(), steps) == outcomes(NaiveSchedule(), steps)
