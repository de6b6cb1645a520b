"""Waiting for a world that is bad."""

import asyncio
import gc
from collections.abc import Callable, Iterable

import pytest
from prometheus_client import REGISTRY
from structlog.testing import capture_logs

from services.worker.runtime.retry import RetryAborted, retry_until_available
from tests.support.worker.unstarted_consumer import turns


class Away(Exception):
    """It does not answer."""


class Act:
    """Raises these, one after the other, and then returns 7; keeps what the metric said at each attempt."""

    def __init__(self, failures: Iterable[Exception] = ()) -> None:
        self._failures = list(failures)
        self.waited: list[float] = []

    async def __call__(self) -> int:
        self.waited.append(waits())
        if self._failures:
            raise self._failures.pop(0)
        return 7


def waits() -> float:
    return REGISTRY.get_sample_value("callfold_dependency_unavailable", {"dependency": "a test"}) or 0.0


def never() -> bool:
    return False


async def wait(act: Act, should_stop: Callable[[], bool] = never) -> int:
    return await retry_until_available("a test", act, Away, should_stop=should_stop)


async def test_what_succeeds_at_once_is_returned_without_a_word() -> None:
    with capture_logs() as logs:
        result = await wait(Act())

    assert (result, logs, waits()) == (7, [], 0)


async def test_it_waits_until_it_succeeds_and_the_metric_says_so_meanwhile() -> None:
    act = Act([Away("no primary"), Away("no primary")])

    result = await wait(act)

    assert (result, act.waited, waits()) == (7, [0, 1, 1], 0)


async def test_it_says_once_that_it_waits_and_once_that_it_goes_on() -> None:
    with capture_logs() as logs:
        await wait(Act([Away("no primary"), Away("no primary"), Away("no primary")]))

    assert [(each["event"], each["log_level"]) for each in logs] == [
        ("dependency_unavailable", "warning"),
        ("dependency_recovered", "info"),
    ]
    assert (logs[0]["dependency"], logs[0]["error"], logs[1]["attempts"]) == ("a test", "no primary", 4)


async def test_it_says_anew_what_for_when_that_changes() -> None:
    with capture_logs() as logs:
        await wait(Act([Away("no primary"), Away("authentication failed"), Away("authentication failed")]))

    assert [each.get("error") for each in logs] == ["no primary", "authentication failed", None]


async def test_what_it_does_not_wait_for_is_raised_at_once() -> None:
    act = Act([KeyError("a mistake")])

    with pytest.raises(KeyError):
        await wait(act)

    assert (len(act.waited), waits()) == (1, 0)


async def test_a_failure_of_another_kind_after_waiting_is_raised_and_the_metric_is_reset() -> None:
    with pytest.raises(KeyError):
        await wait(Act([Away(), KeyError("a mistake")]))

    assert waits() == 0


@pytest.mark.parametrize("after", [1, 2])
async def test_it_gives_up_between_two_attempts_when_it_has_become_needless(after: int) -> None:
    act = Act([Away()] * 5)

    with pytest.raises(RetryAborted):
        await wait(act, should_stop=lambda: len(act.waited) == after)

    assert (len(act.waited), waits()) == (after, 0)


async def test_what_succeeds_is_not_given_up() -> None:
    assert await wait(Act(), should_stop=lambda: True) == 7


async def test_it_can_be_cancelled() -> None:
    act = Act([Away()] * 1_000)
    waiting = asyncio.ensure_future(wait(act))
    await turns()
    assert len(act.waited) == 1

    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting

    assert waits() == 0


async def test_what_succeeds_at_once_leaves_nothing_to_the_garbage_collector() -> None:
    gc.collect()
    gc.disable()
    try:
        for _ in range(100):
            await wait(Act())
        assert gc.collect() < 100  # other threads may leave something, a hundred waits nothing each
    finally:
        gc.enable()
