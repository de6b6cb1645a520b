"""The pages Overview and Lag: each part that cannot be had says so in its place."""

import asyncio
import time
from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from starlette.requests import Request
from starlette.responses import Response

from services.console.access.sessions import Session
from services.console.rendering import Pages
from services.console.watching.asking import NoAnswer
from services.console.watching.charts import Chart, Window, chart
from services.console.watching.meanings import CAUSES, MEANINGS, RUNBOOK, TITLES
from services.console.watching.monitor import Monitor
from services.console.watching.partitions import alerts, rows
from services.console.watching.prometheus import Prometheus, Series

_HOUR = 3_600
_DAY = 24 * _HOUR
_STEP = 30.0
_ALERT_STEP = 60.0
_CANARY_CALLS = 8
_ALERTS_SHOWN = 10

_NO_PROMETHEUS = "There is no Prometheus to ask: set CALLFOLD_CONSOLE_PROMETHEUS."

_THROUGHPUT: Mapping[str, str] = {
    "events written a second": 'sum(rate(callfold_events_total{outcome="written"}[1m]))',
    "dead letters a minute": "60 * (sum(rate(callfold_dead_letters_total[1m])) or vector(0))",
    "reads a second": 'sum(rate(callfold_api_requests_total{route=~"/api/calls.*"}[1m]))',
}
_CALLS: Mapping[str, str] = {
    "live": "sum(callfold_live_calls)",
    "waiting for a fold": "sum(callfold_stale_calls)",
    "broken": "sum(callfold_broken_calls)",
}
_LAG = "callfold_lag_records"
_FIRED = 'ALERTS{alertstate="firing"}'

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Part(Generic[T]):
    """A part of a page: its content, or why there is none."""

    content: T | None
    missing: str | None


class WatchingPages:
    """The pages `/` and `/lag`."""

    def __init__(self, monitor: Monitor, prometheus: Prometheus | None, pages: Pages) -> None:
        self._monitor = monitor
        self._prometheus = prometheus
        self._pages = pages

    async def overview(self, _request: Request, session: Session) -> Response:
        now = time.time()
        lag, canary, throughput, calls, fired = await asyncio.gather(
            _part(self._monitor.lag()),
            _part(self._monitor.canary()),
            _part(self._throughput(now)),
            _part(self._calls(now)),
            _part(self._fired(now)),
        )
        shown = {"lag": lag, "canary": canary, "throughput": throughput, "calls": calls, "fired": fired}
        return self._pages.page("overview.html", session, canary_calls=_CANARY_CALLS, **shown, **_WORDS)

    async def lag(self, _request: Request, session: Session) -> Response:
        now = time.time()
        lag, series = await asyncio.gather(_part(self._monitor.lag()), _part(self._series(_LAG, now)))
        found = [] if lag.content is None else rows(lag.content.partitions, series.content or (), _hour(now))
        return self._pages.page("lag.html", session, lag=lag, rows=found, series=series, **_WORDS)

    async def _throughput(self, now: float) -> Mapping[str, Chart]:
        found = await asyncio.gather(*(self._series(query, now) for query in _THROUGHPUT.values()))
        points = [series[0].points if series else () for series in found]
        charts = [chart(each, _hour(now)) for each in points]
        return dict(zip(_THROUGHPUT, charts, strict=True))

    async def _calls(self, now: float) -> Mapping[str, float | None]:
        found = await asyncio.gather(*(self._known().value(query, now) for query in _CALLS.values()))
        return dict(zip(_CALLS, found, strict=True))

    async def _fired(self, now: float) -> Any:
        day = Window(now - _DAY, now, _ALERT_STEP)
        return alerts(await self._known().series(_FIRED, day), day)[:_ALERTS_SHOWN]

    async def _series(self, query: str, now: float) -> Sequence[Series]:
        return await self._known().series(query, _hour(now))

    def _known(self) -> Prometheus:
        if self._prometheus is None:
            raise NoAnswer(_NO_PROMETHEUS)
        return self._prometheus


_WORDS: Mapping[str, Any] = {"titles": TITLES, "meanings": MEANINGS, "causes": CAUSES, "runbook": RUNBOOK}


def _hour(now: float) -> Window:
    return Window(now - _HOUR, now, _STEP)


async def _part(content: Awaitable[T]) -> Part[T]:
    try:
        return Part(await content, None)
    except NoAnswer as error:
        return Part(None, str(error))
