"""Retries until a dependency answers: without an end, with growing pauses, and reported."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type, wait_random_exponential

from shared.process.dependencies import DependencyStatus

T = TypeVar("T")

_LONGEST_PAUSE = 5.0


class RetryAborted(Exception):
    """The retries were stopped because another worker goes on with the work; nothing was acknowledged."""


async def retry_until_available(
    dependency: str,
    act: Callable[[], Awaitable[T]],
    error_type: type[Exception],
    *,
    should_stop: Callable[[], bool] = lambda: False,
) -> T:
    """Return what `act` returns, once it no longer raises `error_type`.

    `dependency` is its name in metrics and logs.

    Raises:
        RetryAborted: `should_stop` returned True between two attempts.
    """
    try:
        return await act()
    except error_type as error:
        # tenacity makes some forty objects for each call, which are garbage in a cycle: only after a failure.
        first_error = error
    status = DependencyStatus(dependency)

    def report(state: RetryCallState) -> None:
        status.unavailable(str(state.outcome.exception() if state.outcome else None))
        if should_stop():
            raise RetryAborted(dependency)

    attempts = 0
    try:
        async for attempt in AsyncRetrying(
            retry=retry_if_exception_type(error_type),
            wait=wait_random_exponential(multiplier=0.1, max=_LONGEST_PAUSE),
            before_sleep=report,
            reraise=True,
        ):
            with attempt:
                attempts = attempt.retry_state.attempt_number
                if attempts == 1:
                    raise first_error
                result = await act()
        status.recovered(attempts=attempts)
        return result
    finally:
        status.withdraw()
