"""Whether the dependencies of this process answer: the gauge, and a log line at each change."""

import asyncio
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Lock

from shared.process import metrics
from shared.process.logs import logger

log = logger(__name__)

_ERROR_LENGTH = 300
# Some drivers put a time or a port into their messages: each attempt would be a new error.
_MOST_ERRORS = 20


@dataclass(slots=True)
class _Outage:
    """What all users of a dependency in this process find: one that recovers does not hide the outage of another."""

    reporting: set["DependencyStatus"] = field(default_factory=set)
    errors: set[str] = field(default_factory=set)
    """What was logged since it began. Several users find the same at the same time: two topics have two loops."""
    answered: bool = False
    """Whether a user got an answer since it began: it is over then when none reports it any more."""

    def is_new(self, error: str) -> bool:
        if error in self.errors or len(self.errors) >= _MOST_ERRORS:
            return False
        self.errors.add(error)
        return True


_lock = Lock()  # the consumer has a thread of its own
_outages: defaultdict[str, _Outage] = defaultdict(_Outage)
"""By dependency."""


def known(*dependencies: str) -> None:
    """Show these dependencies as available until one reports otherwise: a series does not begin with an outage."""
    for dependency in dependencies:
        metrics.DEPENDENCY_UNAVAILABLE.labels(dependency)


def any_unavailable() -> bool:
    """Return whether this process waits for a dependency."""
    with _lock:
        return any(outage.reporting for outage in _outages.values())


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
        self._unavailable = False
        known(dependency)

    def unavailable(self, error: str) -> None:
        """Report that the dependency does not answer; the same error is logged once until it recovers."""
        error = error[:_ERROR_LENGTH]
        self._unavailable = True
        with _lock:
            outage = _outages[self._dependency]
            outage.reporting.add(self)
            metrics.DEPENDENCY_UNAVAILABLE.labels(self._dependency).set(1)
            is_new = outage.is_new(error)
        if is_new:
            log.warning("dependency_unavailable", dependency=self._dependency, error=error)

    def recovered(self, **details: object) -> None:
        """Report that the dependency answers. It is logged, with `details`, when no user reports it any more."""
        if self._unavailable:
            self._leave(answered=True, **details)

    def withdraw(self) -> None:
        """Take the report back: this user no longer waits for the dependency, and knows no more about it."""
        if self._unavailable:
            self._leave(answered=False)

    def _leave(self, *, answered: bool, **details: object) -> None:
        self._unavailable = False
        with _lock:
            outage = _outages[self._dependency]
            outage.reporting.discard(self)
            outage.answered |= answered
            if outage.reporting:
                return
            del _outages[self._dependency]
            metrics.DEPENDENCY_UNAVAILABLE.labels(self._dependency).set(0)
        if outage.answered:
            log.info("dependency_recovered", dependency=self._dependency, **details)
