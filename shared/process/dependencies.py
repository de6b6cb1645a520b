"""Whether the dependencies of this process answer: the gauge, and a log line at each change."""

import asyncio
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

from shared.process import metrics
from shared.process.logs import logger

log = logger(__name__)

_ERROR_LENGTH = 300
# Some drivers put a time or a port into their messages: each attempt would be a new error.
_MOST_ERRORS = 20

_lock = Lock()  # the consumer has a thread of its own
_reporting: defaultdict[str, set["DependencyStatus"]] = defaultdict(set)
"""Who finds a dependency unavailable now, by dependency: one that recovers does not hide the outage of another."""


def any_unavailable() -> bool:
    """Return whether this process waits for a dependency."""
    with _lock:
        return any(_reporting.values())


@contextmanager
def expected_within(seconds: float, dependency: str) -> Iterator[None]:
    """Report the dependency while the block lasts longer: a client may wait for an answer much longer."""
    status = DependencyStatus(dependency)
    timer = asyncio.get_running_loop().call_later(seconds, status.unavailable, f"no answer within {seconds:g} s")
    try:
        yield
        status.recovered()
    finally:
        timer.cancel()
        status.withdraw()


class DependencyStatus:
    """What one user of a dependency finds; several may report the same dependency at the same time."""

    def __init__(self, dependency: str) -> None:
        self._dependency = dependency
        self._errors: set[str] = set()

    def unavailable(self, error: str) -> None:
        """Report that the dependency does not answer; the same error is logged once until it recovers."""
        error = error[:_ERROR_LENGTH]
        if error in self._errors or len(self._errors) >= _MOST_ERRORS:
            return
        self._errors.add(error)
        with _lock:
            _reporting[self._dependency].add(self)
            metrics.DEPENDENCY_UNAVAILABLE.labels(self._dependency).set(1)
        log.warning("dependency_unavailable", dependency=self._dependency, error=error)

    def recovered(self, **details: object) -> None:
        """Report that the dependency answers; nothing is logged unless it was unavailable. `details` are logged."""
        if self._errors:
            self.withdraw()
            log.info("dependency_recovered", dependency=self._dependency, **details)

    def withdraw(self) -> None:
        """Take the report back: this user no longer waits for the dependency, and knows no more about it."""
        self._errors.clear()
        with _lock:
            _reporting[self._dependency].discard(self)
            metrics.DEPENDENCY_UNAVAILABLE.labels(self._dependency).set(bool(_reporting[self._dependency]))
