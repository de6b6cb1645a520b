"""The verdict finds each failure, and a seed repeats a run."""

from itertools import islice
from typing import Any

import pytest

from shared.contract.topics import Topics
from tests.faults.harness.schedule import schedule
from tests.faults.harness.verdict import Verdict
from tests.faults.load.workload import workload
from tests.support.events.makers import STARTED, Json, event
from tests.support.events.records import expected

EVENTS = [
    event("call.created", from_number="+491"),
    event("call.started", at=STARTED, direction="inbound"),
    event("transcript.turn", at=STARTED + 1_000),
    event("latency.sampled", at=STARTED + 2_000),
    event("usage.reported", at=STARTED + 3_000),
    event("call.ended", at=STARTED + 9_000),
]


def judged(found: Json | None, missing_in_log: int = 0) -> Verdict:
    verdict = Verdict()
    verdict.compare("org-789/call-456", record(EVENTS), found, missing_in_log)
    return verdict


def record(events: list[Json]) -> Any:
    (record,) = expected(events).values()
    return record


def test_a_record_as_it_must_be_is_good() -> None:
    assert judged(record(EVENTS)).good


@pytest.mark.parametrize("number", [2, 3, 4])
def test_an_event_that_the_record_does_not_tell_of_is_lost(number: int) -> None:
    verdict = judged(record(EVENTS[:number] + EVENTS[number + 1 :]))

    assert (verdict.lost, verdict.duplicated, len(verdict.differing)) == (1, 0, 1)


@pytest.mark.parametrize("number", [2, 3, 4])
def test_an_event_that_the_record_tells_of_twice_is_doubled(number: int) -> None:
    verdict = judged(record([*EVENTS, {**EVENTS[number], "id": "again"}]))

    assert (verdict.lost, verdict.duplicated, len(verdict.differing)) == (0, 1, 1)


def test_an_event_that_the_log_does_not_have_is_lost_though_the_record_tells_of_it() -> None:
    assert judged(record(EVENTS), missing_in_log=2).lost == 2


def test_a_call_without_a_record_is_lost() -> None:
    verdict = judged(None)

    assert verdict.lost == 5
    assert not verdict.good


@pytest.mark.parametrize(
    "wrong",
    [
        {"private_left": 1},
        {"uncommitted": 1},
        {"poison_missing": 1},
        {"poison_changed": 1},
        {"private_shown": ["worker.log"]},
        {"hung": 1},
        {"failed": 1},
        {"missed": ["a fault"]},
    ],
)
def test_whatever_else_is_wrong_is_not_good(wrong: dict[str, Any]) -> None:
    assert not Verdict(**wrong).good


def test_the_same_seed_has_the_same_faults_and_events_and_another_one_has_others() -> None:
    def plan(seed: int) -> Any:
        faults = list(islice(schedule(seed, "lane", ["a", "b", "c", "d"], 3.0), 12))
        return faults, [(sent.due, sent.message) for sent in islice(workload(seed, 50, Topics("t")), 2_000)]

    assert plan(1) == plan(1)
    assert plan(1)[0] != plan(2)[0]
    assert plan(1)[1] != plan(2)[1]


def test_each_kind_of_fault_comes_once_in_a_deck() -> None:
    kinds = [f"kind {number}" for number in range(9)]

    drawn = [planned.kind for planned in islice(schedule(1, "lane", kinds, 3.0), 18)]

    assert sorted(drawn[:9]) == sorted(drawn[9:]) == kinds
    assert drawn[:9] != drawn[9:]
