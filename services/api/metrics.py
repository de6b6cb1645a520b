"""Metrics of the API alone."""

from shared.process.metric_set import MetricSet
from shared.process.metrics import PROCESS

API = MetricSet()

REQUESTS = API.counter(
    "callfold_api_requests",
    "Responses, by the template of the route (`none` where there is no such route) and status (`none` where the client"
    " left before it was known); 304 are those to readers who had the present record",
    ["route", "status"],
    unit="responses",
    question="Who is served, and with what? How many read what they have already?",
)
REQUEST_SECONDS = API.histogram(
    "callfold_api_request_duration_seconds",
    "Time from the first byte of a request to the last byte of its response, by route",
    ["route"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 3),
    question="How long do readers wait?",
)
REJECTED_KEYS = API.counter(
    "callfold_api_rejected_keys",
    "Requests whose key was not accepted, by reason: `missing`, `wrong` (no such key, a wrong secret, or revoked),"
    " `ambiguous` (two different ones), `too_many_rejections` (of the client's address, so that it was not looked up)",
    ["reason"],
    unit="requests",
    question="Does a reader use a wrong key, or does somebody try keys?",
)
CONNECTIONS = API.gauge(
    "callfold_api_connections",
    "Open connections",
    unit="connections",
    question="How close are readers to the limit of connections?",
)
CONNECTIONS_REFUSED = API.counter(
    "callfold_api_connections_refused",
    "Connections that the API closed by itself, by reason: a request over a limit or not HTTP, too many connections, a"
    " client that does not read its response",
    ["reason"],
    unit="connections",
    question="Whom does the API not even hear?",
)


def text() -> bytes:
    """Return the metrics of the API and of any process, in Prometheus' text format."""
    return PROCESS.text() + API.text()
