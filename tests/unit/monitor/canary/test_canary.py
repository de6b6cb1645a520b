"""The canary's loop: calls are bounded in number, and nothing that fails ends it."""

import asyncio

import pytest

from services.monitor.canary import metrics
from services.monitor.canary.canary import MOST_CALLS, MOST_REPORTS, Canary
from shared.process.metrics import total
from tests.support.canary import MemoryCallfold, Observed, stage
from tests.support.eventually import eventually


async def freeze() -> None:
    await asyncio.Event().wait()


async def fail() -> None:
    raise ZeroDivisionError


def canary(callfold: MemoryCallfold, partitions: int = 3) -> Canary:
    return Canary(stage(callfold, Observed()), "callfold-canary", 0.001, lambda: partitions)


@pytest.mark.timeout(60)
async def test_while_calls_hang_no_more_than_so_many_are_followed_and_they_end_with_the_canary() -> None:
    running = canary(MemoryCallfold(before_publishing=freeze))
    others = asyncio.all_tasks()
    task = asyncio.create_task(running.run())

    await eventually(lambda: len(running.reports) == MOST_CALLS)
    await asyncio.sleep(0.05)
    followed = len(running.reports)
    task.cancel()
    await asyncio.wait([task])

    assert followed == MOST_CALLS
    await eventually(lambda: asyncio.all_tasks() <= others)


@pytest.mark.timeout(60)
async def test_an_internal_error_is_counted_and_the_next_call_is_published() -> None:
    running = canary(MemoryCallfold(before_publishing=fail))
    before = total(metrics.ERRORS)
    task = asyncio.create_task(running.run())

    await eventually(lambda: total(metrics.ERRORS) >= before + 3)

    assert not task.done()
    task.cancel()
    await asyncio.wait([task])


@pytest.mark.timeout(60)
async def test_the_last_reports_are_kept_the_newest_first() -> None:
    running = canary(MemoryCallfold(kafka=False))
    task = asyncio.create_task(running.run())

    await eventually(lambda: len(running.reports) == MOST_REPORTS)
    first = running.reports[0].call_id
    await eventually(lambda: running.reports[0].call_id != first)
    task.cancel()
    await asyncio.wait([task])

    assert len(running.reports) == MOST_REPORTS
    assert {report.result for report in running.reports[1:]} == {"not_published"}
