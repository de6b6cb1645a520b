"""PromQL of several panels. `$__rate_interval` is Grafana's: four scrapes, or the step of the graph if it is longer."""

from dataclasses import dataclass

INTERVAL = "$__rate_interval"


@dataclass(frozen=True, slots=True)
class Query:
    """A query, and how Grafana names each series of its answer; `{{label}}` is the value of a label."""

    expr: str
    legend: str = ""


def rate(metric: str, *, by: str = "", where: str = "") -> str:
    """Return by how much a counter rises in a second, in sum."""
    grouping = f" by ({by}) " if by else ""
    limits = f"{{{where}}}" if where else ""
    return f"sum{grouping}(rate({metric}{limits}[{INTERVAL}]))"


def quantile(share: float, histogram: str, *, by: str = "") -> str:
    """Return the value that this share of the observations of a histogram does not exceed."""
    buckets = rate(f"{histogram}_bucket", by=f"le, {by}" if by else "le")
    return f"histogram_quantile({share}, {buckets})"


def quantiles(histogram: str, name: str = "") -> list[Query]:
    """Return the median and the 99th percentile; `name` is put before them in the legend."""
    before = f"{name}: " if name else ""
    return [Query(quantile(0.5, histogram), f"{before}median"), Query(quantile(0.99, histogram), f"{before}99 %")]


def share_within(bound: str, histogram: str) -> str:
    """Return the share of the observations that do not exceed a bound of the histogram, as its `le` has it."""
    within = rate(f"{histogram}_bucket", where=f'le="{bound}"')
    return f"{within} / {rate(f'{histogram}_count')}"


def mean(histogram: str, *, by: str = "") -> str:
    return f"{rate(f'{histogram}_sum', by=by)} / {rate(f'{histogram}_count', by=by)}"
