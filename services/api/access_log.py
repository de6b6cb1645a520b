"""The access log: one line per request, without anything of a call.

Requests that succeed are sampled. Those with a rejected key and those that failed here are always logged, up to
`MOST_PER_SECOND` of each kind, so that nobody can fill the disk; a line counts those left out.
"""

import asyncio
from collections.abc import Callable
from http import HTTPStatus
from random import random
from time import monotonic
from typing import NamedTuple

from services.api.keys.authentication import Caller
from shared.process.logs import logger

MOST_PER_SECOND = 10

REPORT_SECONDS = 1.0
"""The time between the first line that is left out and the line that counts them."""

_KEYS = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.TOO_MANY_REQUESTS})

log = logger(__name__)


class Request(NamedTuple):
    """A request that has been answered; `route` is a template, `seconds` the time until the last byte was sent."""

    request_id: str
    route: str
    status: int | None
    seconds: float
    sent_bytes: int
    caller: Caller | None
    address: str


class AccessLog:
    """Logs `rate` (0 to 1) of the requests that succeed; `draw` returns a random number below 1."""

    def __init__(self, rate: float, draw: Callable[[], float] = random, timer: Callable[[], float] = monotonic) -> None:
        self._rate = rate
        self._draw = draw
        self._rejections = _Bounded("rejected key", timer)
        self._failures = _Bounded("failure", timer)

    def add(self, request: Request) -> None:
        """Log a request, or count it as left out."""
        status = request.status
        if status is None or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            if self._failures.admits():
                log.warning("request", **_fields(request))
        elif status in _KEYS or _has_different_keys(request):
            if self._rejections.admits():
                log.warning("request", **_fields(request), address=request.address)
        elif self._rate and self._draw() < self._rate:
            log.info("request", **_fields(request))


def _has_different_keys(request: Request) -> bool:
    return request.status == HTTPStatus.BAD_REQUEST and request.caller is None


def _fields(request: Request) -> dict[str, object]:
    organization, key = request.caller or (None, None)
    return {
        "request_id": request.request_id,
        "route": request.route,
        "status": request.status and int(request.status),
        "ms": round(request.seconds * 1000, 1),
        "bytes": request.sent_bytes,
        "organization": organization,
        "key": key,
    }


class _Bounded:
    """Admits so many lines of a kind in each second, and logs how many it did not admit."""

    def __init__(self, kind: str, timer: Callable[[], float]) -> None:
        self._kind = kind
        self._timer = timer
        self._second = 0
        self._admitted = 0
        self._left_out = 0

    def admits(self) -> bool:
        second = int(self._timer())
        if second != self._second:
            self._second, self._admitted = second, 0
        if self._admitted < MOST_PER_SECOND:
            self._admitted += 1
            return True
        if not self._left_out:
            # Not with the next line: there may be none for hours.
            asyncio.get_running_loop().call_later(REPORT_SECONDS, self._report)
        self._left_out += 1
        return False

    def _report(self) -> None:
        log.warning("requests_not_logged", kind=self._kind, requests=self._left_out)
        self._left_out = 0
