"""What the API answers, and how fast."""

from grafana_foundation_sdk.models import units
from grafana_foundation_sdk.models.dashboard import Panel

from deploy.grafana import pages
from deploy.grafana.panels import graph
from deploy.grafana.queries import Query, quantile, quantiles, rate
from deploy.grafana.shown import ORANGE, RED, About, Shown

_REQUESTS = "callfold_api_requests_total"
_DURATION = "callfold_api_request_duration_seconds"


def api() -> list[Panel]:
    return [_requests(), _latency(), _routes(), _unchanged(), _rejected_keys(), _connections()]


def _requests() -> Panel:
    about = About(
        "What does the API answer?",
        "Responses a second by status. 401 is a wrong key, 429 a limit, 503 a dependency or too many connections.",
        pages.API_ERRORS,
    )
    return graph(about, [Query(rate(_REQUESTS, by="status"), "{{status}}")], Shown(units.ReadsPerSecond), stacked=True)


def _latency() -> Panel:
    about = About(
        "How fast does the API answer?",
        "From the first byte of a request to the last byte of its response, all routes together.",
        pages.API_LATENCY,
    )
    return graph(about, quantiles(_DURATION), Shown(units.Seconds, {0.1: ORANGE, 1: RED}))


def _routes() -> Panel:
    about = About(
        "Which route is slow?",
        "What 99 % of the responses of each route do not exceed.",
        pages.API_LATENCY,
        width=8,
    )
    return graph(about, [Query(quantile(0.99, _DURATION, by="route"), "{{route}}")], Shown(units.Seconds))


def _unchanged() -> Panel:
    about = About(
        "How many readers have the record already?",
        "The share of responses that are 304: the reader's `If-None-Match` fits. Low with many reads is a reader that "
        "polls without it.",
        "docs/reading.md",
        width=8,
    )
    unchanged = rate(_REQUESTS, where='status="304"')
    return graph(
        about,
        [Query(f"({unchanged} or vector(0)) / {rate(_REQUESTS)}", "304")],
        Shown(units.PercentUnit, top=1),
    )


def _rejected_keys() -> Panel:
    about = About(
        "How many keys are rejected?",
        "Failed authentications a minute by reason. The access log has the client's address.",
        "docs/security.md",
        width=8,
    )
    query = Query(f"{rate('callfold_api_rejected_keys_total', by='reason')} * 60", "{{reason}}")
    return graph(about, [query], Shown(units.EventsPerMinute))


def _connections() -> Panel:
    about = About(
        "How many connections are open, and refused?",
        "Open connections, and those a minute that the API closed by itself.",
        pages.CONNECTIONS,
        width=24,
    )
    refused = rate("callfold_api_connections_refused_total")
    queries = [
        Query("sum(callfold_api_connections)", "open"),
        Query(f"{refused} * 60 or vector(0)", "refused a minute"),
    ]
    return graph(about, queries, Shown(units.Short))
