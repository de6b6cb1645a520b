"""PURE: the partitions of the monitor's lag as rows, what is wrong first."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from services.console.watching.charts import Chart, chart
from services.console.watching.prometheus import Series
from shared.lag.models import Verdict


@dataclass(frozen=True, slots=True)
class Row:
    """A partition as the monitor's `/lag` has it, its short name, and the picture of its lag over the last hour."""

    name: str
    lag: Mapping[str, Any]
    chart: Chart | None

    @property
    def is_late(self) -> bool:
        return bool(self.lag["verdict"] != Verdict.OK)


def rows(lag: Mapping[str, Any], series: Sequence[Series], begins: float, ends: float, step: float) -> list[Row]:
    """Return a row for each partition; `series` has the labels `topic` and `partition`."""
    charts = {_part(each.labels): chart(each.points, begins, ends, step) for each in series}
    found = [Row(_name(each), each, charts.get(_part(each))) for each in lag["partitions"]]
    return sorted(found, key=lambda row: (not row.is_late, -(row.lag["lag"] or 0)))


@dataclass(frozen=True, slots=True)
class Alert:
    """An alert that fired: labels that tell it from others, its first and last moment in Unix milliseconds."""

    name: str
    severity: str
    about: str
    first: int
    last: int
    is_over: bool


def alerts(series: Sequence[Series], ends: float, step: float) -> list[Alert]:
    """Return what fired, by Prometheus' series `ALERTS`; what fires now first, then the latest."""
    return sorted(
        (alert for each in series for alert in _alerts(each, ends, step)),
        key=lambda alert: (alert.is_over, -alert.last),
    )


_NOT_ABOUT = {"__name__", "alertname", "alertstate", "severity", "instance"}


def _alerts(series: Series, ends: float, step: float) -> Iterator[Alert]:
    if not series.points:
        return
    labels = series.labels
    about = ", ".join(f"{name} {value}" for name, value in sorted(labels.items()) if name not in _NOT_ABOUT)
    first, last = series.points[0][0], series.points[-1][0]
    is_over = last < ends - 2 * step
    yield Alert(labels["alertname"], labels.get("severity", ""), about, int(first * 1000), int(last * 1000), is_over)


def _part(labels: Mapping[str, Any]) -> tuple[str, str]:
    return str(labels["topic"]), str(labels["partition"])


def _name(lag: Mapping[str, Any]) -> str:
    return f"{lag['topic'].rpartition('.')[2]}-{lag['partition']}"
