"""What a canary call counts as, and what is measured of it."""

from typing import Any

import pytest

from services.monitor.canary.call import CanaryCall
from services.monitor.canary.run import CanaryReport, CanaryRun
from tests.support.canary import MemoryCallfold, Observed, stage

CALL = CanaryCall("callfold-canary", "canary-1", 1_795_341_600_000)


async def followed(callfold: MemoryCallfold) -> tuple[CanaryReport, Observed]:
    observed = Observed()
    run = CanaryRun(CALL, stage(callfold, observed))
    await run.run()
    return run.report, observed


def wrong_once_final(record: Any) -> None:
    record["agent_id"] = "another"


async def test_a_record_that_is_final_and_as_expected_in_time_is_right() -> None:
    report, observed = await followed(MemoryCallfold(behind=0.5))

    assert observed.results == ["right"]
    assert report.readable_seconds == pytest.approx(0.5, abs=0.06)
    assert report.final_seconds == pytest.approx(0.5, abs=0.06)
    assert (observed.readable_seconds, observed.final_seconds) == ([report.readable_seconds], [report.final_seconds])


async def test_a_final_record_that_differs_is_wrong_and_its_fields_are_named() -> None:
    report, observed = await followed(MemoryCallfold(change=wrong_once_final))

    assert observed.results == ["wrong"]
    assert report.wrong_fields == ["agent_id"]
    assert report.final_seconds is None


async def test_a_final_record_that_a_late_event_repairs_in_time_is_right() -> None:
    def repair(callfold: MemoryCallfold) -> None:
        callfold.change = lambda _record: None

    report, observed = await followed(MemoryCallfold(change=wrong_once_final, at={5.0: repair}))

    assert observed.results == ["right"]
    assert report.final_seconds is not None
    assert report.final_seconds > 4


async def test_a_call_that_is_seen_too_late_is_late_and_ended_all_the_same() -> None:
    callfold = MemoryCallfold(behind=12)

    report, observed = await followed(callfold)

    assert observed.results == ["late"]
    assert report.readable_seconds is None
    assert observed.readable_seconds[0] >= 10
    assert report.final_seconds == pytest.approx(12, abs=1.1)
    assert callfold.bodies[-1][1]["type"] == "call.ended"


async def test_a_call_that_is_never_seen_is_given_up_and_counts_once() -> None:
    callfold = MemoryCallfold(behind=1e9)

    report, observed = await followed(callfold)

    assert observed.results == ["late"]
    assert (report.readable_seconds, report.final_seconds) == (None, None)
    assert 70 <= callfold.now < 73
    assert observed.final_seconds[0] >= 60


async def test_a_late_record_that_is_wrong_counts_as_both() -> None:
    report, observed = await followed(MemoryCallfold(behind=12, change=wrong_once_final))

    assert observed.results == ["late", "wrong"]
    assert report.result == "wrong"


async def test_a_call_whose_events_are_not_acknowledged_is_not_published() -> None:
    report, observed = await followed(MemoryCallfold(kafka=False))

    assert observed.results == ["not_published"]
    assert report.why == "Kafka is away"
    assert observed.readable_seconds == []


async def test_a_call_whose_end_is_not_acknowledged_is_not_published() -> None:
    def lose(callfold: MemoryCallfold) -> None:
        callfold.kafka = False

    _, observed = await followed(MemoryCallfold(at={0.3: lose}))

    assert observed.results == ["not_published"]
    assert observed.readable_seconds != []


async def test_a_call_that_the_api_does_not_show_is_not_read_and_says_nothing_of_freshness() -> None:
    report, observed = await followed(MemoryCallfold(api=False))

    assert observed.results == ["not_read"]
    assert report.why == "the API is away"
    assert observed.readable_seconds == observed.final_seconds == []


async def test_an_api_that_comes_back_in_time_is_no_fault() -> None:
    def come_back(callfold: MemoryCallfold) -> None:
        callfold.api = True

    report, observed = await followed(MemoryCallfold(api=False, at={4.0: come_back}))

    assert observed.results == ["right"]
    assert report.why is None


async def test_a_call_that_does_not_come_is_asked_for_less_and_less_often() -> None:
    callfold = MemoryCallfold(behind=1e9)

    await followed(callfold)

    assert callfold.now > 70
    assert callfold.reads < 200
