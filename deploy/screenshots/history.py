"""An hour of measurements before the pictures, made up: a stack that has just been started has none.

It is written to Prometheus as blocks, in the series that the stack itself reports: some load, and a backlog of some
minutes half an hour ago.
"""

import json
import math
import shutil
import subprocess
from collections.abc import Iterator, Mapping

import httpx

from deploy.local.ports import HOST
from deploy.local.stack import Stack

_HOUR, _STEP = 3_600, 15
_TIMEOUT = 30.0

_PER_SECOND = {"callfold_events_total": 27.0, "callfold_api_requests_total": 2.0}

Labels = Mapping[str, str]

_QUERIES = (
    'callfold_events_total{outcome="written"}',
    'callfold_api_requests_total{route=~"/api/calls.*"}',
    "callfold_lag_records",
)


def add_history(stack: Stack, ends: float) -> None:
    """Write the hour that ended at a Unix time, in seconds; leave it out where Prometheus' tool is not installed."""
    tool = shutil.which("promtool")
    if not stack.watched or tool is None:
        return
    series = [labels for query in _QUERIES for labels in _series(stack, query)]
    text, folder = stack.state / "history.om", stack.state / "prometheus" / "data"
    text.write_text("".join(open_metrics(series, ends)))
    stack.supervision.client.stop("prometheus")
    subprocess.run(  # noqa: S603 - the tool that comes with Prometheus
        [tool, "tsdb", "create-blocks-from", "openmetrics", text, folder], check=True, capture_output=True
    )
    stack.supervision.client.start("prometheus")


def _series(stack: Stack, query: str) -> list[Labels]:
    address = f"http://{HOST}:{stack.ports.prometheus}/api/v1/query"
    answer = httpx.get(address, params={"query": query}, timeout=_TIMEOUT, trust_env=False)
    return [each["metric"] for each in answer.raise_for_status().json()["data"]["result"]]


def open_metrics(series: list[Labels], ends: float) -> Iterator[str]:
    """PURE: yield the lines of a file in OpenMetrics' form; `ends` is Unix seconds."""
    for name in dict.fromkeys(labels["__name__"] for labels in series):
        family, kind = (name.removesuffix("_total"), "counter") if name.endswith("_total") else (name, "gauge")
        yield f"# TYPE {family} {kind}\n"
        of_name = [labels for labels in series if labels["__name__"] == name]
        for place, labels in enumerate(of_name):
            yield from _samples(name, labels, place, len(of_name), ends)
    yield "# EOF\n"


def _samples(name: str, labels: Labels, place: int, number: int, ends: float) -> Iterator[str]:
    """Yield the samples of one of a number of series."""
    written = ",".join(f"{key}={json.dumps(value)}" for key, value in labels.items() if key != "__name__")
    total = 0.0
    for second in range(0, _HOUR, _STEP):
        wave = 1 + 0.2 * math.sin(second / 400) + 0.1 * math.sin(second / 37 + place)
        if name in _PER_SECOND:
            total += _STEP * wave * _PER_SECOND[name] / number
            value = total
        else:
            value = max(0.0, 240 - abs(second - 1_900)) * wave // (1 + place % 3)
        yield f"{name}{{{written}}} {value:.1f} {ends - _HOUR + second:.3f}\n"
