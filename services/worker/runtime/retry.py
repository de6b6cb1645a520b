"""Waiting for a world that is bad: without an end, with growing pauses, and visibly."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type, wait_random_exponential

from shared.process import metrics
from shared.process.logs import logger

log = logger(__name__)
T = TypeVar("T")

_LONGEST_PAUSE = 5.0


class RetryAborted(Exception):
    """The wait was broken off because somebody else goes on with the work; nothing was acknowledged."""


async def retry_until_available(
    what: str,
    act: Callable[[], Awaitable[T]],
    error_type: type[Exception],
    *,
    should_stop: Callable[[], bool] = lambda: False,
) -> T:
    """Return what `act` returns, once it no longer raises `waits_for`.

    `what` names in metrics and logs what is waited for.

    Raises:
        GivenUp: `needless` said, between two attempts, that there is no more use in waiting.
    """
    try:
        return await act()
    except error_type as error:
        # What counts attempts is a ring of forty objects, for the garbage collector to find: not for what succeeds.
        refused = error
    said: str | None = None

    def _say(state: RetryCallState) -> None:
        nonlocal said
        metrics.DEPENDENCY_UNAVAILABLE.labels(what).set(1)
        why = str(state.outcome.exception() if state.outcome else None)[:300]
        if why != said:  # a password can be wrong where a server was away
            said = why
            log.warning("dependency_unavailable", dependency=what, error=why)
        if should_stop():
            raise RetryAborted(what)

    attempts = 0
    try:
        async for attempt in AsyncRetrying(
            retry=retry_if_exception_type(error_type),
            wait=wait_random_exponential(multiplier=0.1, max=_LONGEST_PAUSE),
            before_sleep=_say,
            reraise=True,
        ):
            with attempt:
                attempts = attempt.retry_state.attempt_number
                if attempts == 1:
                    raise refused
                result = await act()
    finally:
        metrics.DEPENDENCY_UNAVAILABLE.labels(what).set(0)
    log.info("dependency_recovered", dependency=what, attempts=attempts)
    return result
