"""Retries while a dependency is unavailable."""

import asyncio
import gc
from collections.abc import Callable, Iterable

import pytest
from prometheus_client import REGISTRY
from structlog.testing import capture_logs

from services.worker.runtime.retry import RetryAborted, retry_until_available
from tests.support.worker.unstarted_consumer import turns


class Unavailable(Exception):
    """It does not answer."""


class Act:
    """Raises these, one after the other, and then returns 7; records the gauge at each attempt."""

    def __init__(self, failures: Iterable[Exception] = ()) -> None:
        self._failures = list(failures)
        self.gauges: list[float] = []

    async def __call__(self) -> int:
        self.gauges.append(gauge())
        if self._failures:
            raise self._failures.pop(0)
        return 7


def gauge() -> float:
    return REGISTRY.get_sample_value("callfold_dependency_unavailable", {"dependency": "a test"}) or 0.0


def never() -> bool:
    return False


async def wait(act: Act, should_stop: Callable[[], bool] = never) -> int:
    return await retry_until_available("a test", act, Unavailable, should_stop=should_stop)


async def test_a_result_at_the_first_attempt_is_returned_without_a_log_line() -> None:
    with capture_logs() as logs:
        result = await wait(Act())

    assert (result, logs, gauge()) == (7, [], 0)


async def test_it_retries_until_it_succeeds_and_the_gauge_is_1_meanwhile() -> None:
    act = Act([Unavailable("no primary"), Unavailable("no primary")])

    result = await wait(act)

    assert (result, act.gauges, gauge()) == (7, [0, 1, 1], 0)


async def test_it_logs_the_outage_once_and_the_recovery_once() -> None:
    with capture_logs() as logs:
        await wait(Act([Unavailable("no primary"), Unavailable("no primary"), Unavailable("no primary")]))

    assert [(each["event"], each["log_level"]) for each in logs] == [
        ("dependency_unavailable", "warning"),
        ("dependency_recovered", "info"),
    ]
    assert (logs[0]["dependency"], logs[0]["error"], logs[1]["attempts"]) == ("a test", "no primary", 4)


async def test_it_logs_each_distinct_error() -> None:
    with capture_logs() as logs:
        await wait(
            Act([Unavailable("no primary"), Unavailable("authentication failed"), Unavailable("authentication failed")])
        )

    assert [each.get("error") for each in logs] == ["no primary", "authentication failed", None]


async def test_another_error_is_raised_at_once() -> None:
    act = Act([KeyError("internal")])

    with pytest.raises(KeyError):
        await wait(act)

    assert (len(act.gauges), gauge()) == (1, 0)


async def test_another_error_after_retries_is_raised_and_the_gauge_is_reset() -> None:
    with pytest.raises(KeyError):
        await wait(Act([Unavailable(), KeyError("internal")]))

    assert gauge() == 0


@pytest.mark.parametrize("after", [1, 2])
async def test_it_is_aborted_between_two_attempts_when_it_should_stop(after: int) -> None:
    act = Act([Unavailable()] * 5)

    with pytest.raises(RetryAborted):
        await wait(act, should_stop=lambda: len(act.gauges) == after)

    assert (len(act.gauges), gauge()) == (after, 0)


async def test_a_result_is_returned_even_when_it_should_stop() -> None:
    assert await wait(Act(), should_stop=lambda: True) == 7


async def test_it_can_be_cancelled() -> None:
    act = Act([Unavailable()] * 1_000)
    waiting = asyncio.ensure_future(wait(act))
    await turns()
    assert len(act.gauges) == 1

    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting

    assert gauge() == 0


async def test_a_result_at_the_first_attempt_leaves_nothing_to_the_garbage_collector() -> None:
    gc.collect()
    gc.disable()
    try:
        for _ in range(100):
            await wait(Act())
        assert gc.collect() < 100  # other threads may leave something, a hundred waits nothing each
    finally:
        gc.enable()
