"""The three objectives that alerts watch."""

from grafana_foundation_sdk.models import units
from grafana_foundation_sdk.models.dashboard import Panel

from deploy.grafana import pages
from deploy.grafana.panels import graph
from deploy.grafana.queries import Query, rate, share_within
from deploy.grafana.shown import GREEN, ORANGE, RED, About, Shown

_DURATION = "callfold_api_request_duration_seconds"


def objectives() -> list[Panel]:
    return [_freshness(), _availability(), _latency()]


def _freshness() -> Panel:
    about = About(
        "Which share of the events is readable within 5 s?",
        "From the arrival in Kafka to the first read that finds the event. The objective is 99 % over 28 days.",
        pages.BEHIND,
        width=8,
    )
    query = Query(share_within("5.0", "callfold_arrival_to_readable_seconds"), "within 5 s")
    return graph(about, [query], Shown(units.PercentUnit, {0.95: ORANGE, 0.99: GREEN}, start=RED, top=1))


def _availability() -> Panel:
    about = About(
        "Which share of the API's answers is no server error?",
        "Answers other than 5xx. The objective is 99.9 % over 28 days.",
        pages.DEPENDENCY,
        width=8,
    )
    failed = rate("callfold_api_requests_total", where='status=~"5.."')
    query = Query(f"1 - ({failed} or vector(0)) / {rate('callfold_api_requests_total')}", "no server error")
    return graph(about, [query], Shown(units.PercentUnit, {0.99: ORANGE, 0.999: GREEN}, start=RED, top=1))


def _latency() -> Panel:
    about = About(
        "Which share of the API's answers is fast?",
        "Answers within 0.1 s, from the first byte of the request to the last byte of the response.",
        pages.CONNECTIONS,
        width=8,
    )
    return graph(
        about,
        [Query(share_within("0.1", _DURATION), "within 0.1 s")],
        Shown(units.PercentUnit, {0.9: ORANGE, 0.99: GREEN}, start=RED, top=1),
    )
