import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import orjson
import pytest
from aiohttp import web

from services.console.watching.charts import HEIGHT, Window, chart
from services.console.watching.monitor import Partition
from services.console.watching.partitions import alerts, rows
from services.console.watching.prometheus import Series
from tests.support.console.client import logged_in


def test_a_chart_goes_from_its_begin_to_its_end_and_from_0_to_its_top() -> None:
    drawn = chart([(0, 0), (30, 10), (60, 5)], Window(0, 60, 30))

    assert drawn.path == f"M0.0 {HEIGHT}L300.0 0.0L600.0 {HEIGHT / 2}"
    assert (drawn.top, drawn.last) == (10, 5)


def test_a_chart_is_broken_where_values_are_missing() -> None:
    drawn = chart([(0, 1), (30, 1), (120, 1)], Window(0, 120, 30))

    assert [command for command in drawn.path if command.isalpha()] == ["M", "L", "M"]


def test_a_chart_of_nothing_is_empty_and_one_of_zeros_lies_on_the_ground() -> None:
    assert chart([], Window(0, 60, 30)).path == ""
    assert chart([(0, 0), (60, 0)], Window(0, 60, 60)).path == f"M0.0 {HEIGHT}L600.0 {HEIGHT}"


def partition(number: int, verdict: str = "ok", lag: int | None = 0) -> Partition:
    return Partition(topic="calls.telephony", partition=number, verdict=verdict, cause="none", lag=lag)


def test_what_is_late_stands_first_and_the_longest_of_it() -> None:
    lag = [partition(0), partition(1, "stalled", 5), partition(2, lag=9), partition(3, "no_owner", 7)]

    found = rows(lag, [], Window(0, 60, 30))

    assert [row.name for row in found] == ["telephony-3", "telephony-1", "telephony-2", "telephony-0"]
    assert [row.is_late for row in found] == [True, True, False, False]


def test_each_partition_has_its_own_hour() -> None:
    lag = [partition(0), partition(1)]
    series = [Series({"topic": "calls.telephony", "partition": "1"}, [(0, 7)])]

    charts = {row.name: row.chart for row in rows(lag, series, Window(0, 60, 30))}

    assert charts["telephony-0"] is None
    assert charts["telephony-1"] is not None
    assert charts["telephony-1"].last == 7


@pytest.mark.parametrize(("last", "is_over"), [(3_600, False), (3_500, False), (3_000, True)])
def test_an_alert_is_over_when_it_no_longer_fires(last: float, is_over: bool) -> None:
    labels = {"alertname": "CallfoldApiGone", "alertstate": "firing", "severity": "page", "service": "api"}

    [alert] = alerts([Series(labels, [(600, 1), (last, 1)])], Window(0, 3_600, 60))

    assert (alert.name, alert.severity, alert.about, alert.is_over) == (
        "CallfoldApiGone",
        "page",
        "service api",
        is_over,
    )
    assert (alert.first, alert.last) == (600_000, last * 1_000)


def test_what_fires_stands_before_what_is_over() -> None:
    series = [
        Series({"alertname": name}, [(0, 1), (last, 1)]) for name, last in (("old", 60), ("now", 600), ("older", 0))
    ]

    assert [alert.name for alert in alerts(series, Window(0, 600, 60))] == ["now", "old", "older"]


@pytest.mark.parametrize(
    "body", ["{}", "[]", "null", '{"status": "error"}', '{"data": {"result": [{"value": "x"}]}}', "no"]
)
async def test_a_program_that_answers_with_something_else_is_named_in_its_place(body: str) -> None:
    async with answering(body) as address:
        client = await logged_in("viewer", monitor=address, prometheus=address)
        pages = [await client.get(path) for path in ("/", "/lag")]

    assert [page.status_code for page in pages] == [200, 200]
    assert all(f"The monitor at {address} " in page.text for page in pages)
    assert f"Prometheus at {address} " in pages[0].text


async def test_a_verdict_of_another_version_is_shown_as_it_is() -> None:
    total = {"lag": 1, "lag_seconds": 2.5, "drain_seconds": "never"}
    known: dict[str, Any] = {
        "since": None,
        "state": "stable",
        "members": 1,
        "kafka": "well",
        "mongodb": "well",
        "partitions": [],
    }
    lag = {"at": "2026-11-22T10:00:00Z", "verdict": "odd", "cause": "odder", "total": total, **known, "newer": True}
    async with answering(orjson.dumps(lag).decode()) as address:
        page = await (await logged_in("viewer", monitor=address)).get("/lag")

    assert page.status_code == 200
    assert "<h2>odd</h2>" in page.text


@asynccontextmanager
async def answering(body: str) -> AsyncIterator[str]:
    """Run a server that answers everything with this; yield its address."""

    async def answer(_request: web.Request) -> web.Response:
        return web.Response(text=body)

    application = web.Application()
    application.router.add_get("/{path:.*}", answer)
    runner = web.AppRunner(application)
    await runner.setup()
    with socket.create_server(("127.0.0.1", 0)) as listening:
        await web.SockSite(runner, listening).start()
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            await runner.cleanup()
