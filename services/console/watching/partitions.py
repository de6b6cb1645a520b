"""PURE: the partitions of the monitor's lag as rows, what is wrong first."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from services.console.watching.charts import Chart, Window, chart
from services.console.watching.monitor import Partition
from services.console.watching.prometheus import Series
from shared.lag.models import Verdict


@dataclass(frozen=True, slots=True)
class Row:
    """A partition as the monitor's `/lag` has it, its short name, and the picture of its lag over the last hour."""

    name: str
    lag: Partition
    chart: Chart | None

    @property
    def is_late(self) -> bool:
        return self.lag.verdict != Verdict.OK


def rows(partitions: Sequence[Partition], series: Sequence[Series], window: Window) -> list[Row]:
    """Return a row for each partition; `series` has the labels `topic` and `partition`."""
    charts = {_part(each.labels): chart(each.points, window) for each in series}
    found = [Row(_name(each), each, charts.get((each.topic, str(each.partition)))) for each in partitions]
    return sorted(found, key=lambda row: (not row.is_late, -(row.lag.lag or 0)))


@dataclass(frozen=True, slots=True)
class Alert:
    """An alert that fired: labels that tell it from others, its first and last moment in Unix milliseconds."""

    name: str
    severity: str
    about: str
    first: int
    last: int
    is_over: bool


def alerts(series: Sequence[Series], window: Window) -> list[Alert]:
    """Return what fired, by Prometheus' series `ALERTS`; what fires now first, then the latest."""
    return sorted(
        (alert for each in series for alert in _alerts(each, window)),
        key=lambda alert: (alert.is_over, -alert.last),
    )


_NOT_ABOUT = {"__name__", "alertname", "alertstate", "severity", "instance"}


def _alerts(series: Series, window: Window) -> Iterator[Alert]:
    if not series.points:
        return
    labels = series.labels
    about = ", ".join(f"{name} {value}" for name, value in sorted(labels.items()) if name not in _NOT_ABOUT)
    first, last = series.points[0][0], series.points[-1][0]
    is_over = last < window.ends - 2 * window.step
    name, severity = labels.get("alertname", ""), labels.get("severity", "")
    yield Alert(name, severity, about, int(first * 1000), int(last * 1000), is_over)


def _part(labels: Mapping[str, str]) -> tuple[str, str]:
    return labels.get("topic", ""), labels.get("partition", "")


def _name(lag: Partition) -> str:
    return f"{lag.topic.rpartition('.')[2]}-{lag.partition}"
