"""A program's metrics, each with the question that it answers: docs/metrics.md is written from them."""

from collections.abc import Sequence
from dataclasses import dataclass

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from shared.process.weighted_histogram import WeightedHistogram

_UNITS = {"_timestamp_seconds": "Unix time in seconds", "_seconds": "seconds", "_bytes": "bytes"}


@dataclass(frozen=True, slots=True)
class Description:
    """What a person has to know of a metric; `name` is as Prometheus shows it."""

    name: str
    type: str
    unit: str
    labels: tuple[str, ...]
    meaning: str
    question: str


class MetricSet:
    """The metrics of one program, or of every program, in one registry.

    `question` is what a person asks when he looks at the metric. The unit is known by the end of a name in `_seconds`
    or `_bytes`; of any other metric it has to be given: `events`, or `0 or 1`.
    """

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        self.registry = CollectorRegistry() if registry is None else registry
        self.descriptions: list[Description] = []

    def counter(
        self, name: str, meaning: str, labels: Sequence[str] = (), *, question: str, unit: str | None = None
    ) -> Counter:
        """Return a new counter, which is shown as `name` and `_total`."""
        shown = f"{name}_total"
        self.descriptions.append(Description(shown, "counter", unit or _unit(name), tuple(labels), meaning, question))
        return Counter(name, meaning, labels, registry=self.registry)

    def gauge(
        self, name: str, meaning: str, labels: Sequence[str] = (), *, question: str, unit: str | None = None
    ) -> Gauge:
        self.descriptions.append(Description(name, "gauge", unit or _unit(name), tuple(labels), meaning, question))
        return Gauge(name, meaning, labels, registry=self.registry)

    def histogram(
        self,
        name: str,
        meaning: str,
        labels: Sequence[str] = (),
        *,
        question: str,
        buckets: Sequence[float],
        unit: str | None = None,
    ) -> Histogram:
        """Return a new histogram; `buckets` are the upper bounds, without +Inf."""
        self.descriptions.append(Description(name, "histogram", unit or _unit(name), tuple(labels), meaning, question))
        return Histogram(name, meaning, labels, buckets=buckets, registry=self.registry)

    def weighted_histogram(
        self,
        name: str,
        meaning: str,
        label: str | None = None,
        *,
        question: str,
        buckets: Sequence[float],
        unit: str | None = None,
    ) -> WeightedHistogram:
        """Return a new histogram for what every batch observes: for one thread, and for many equal observations."""
        self.descriptions.append(
            Description(name, "histogram", unit or _unit(name), (label,) if label else (), meaning, question)
        )
        histogram = WeightedHistogram(name, meaning, buckets, label)
        self.registry.register(histogram)
        return histogram

    def text(self) -> bytes:
        """Return the metrics in Prometheus' text format."""
        return generate_latest(self.registry)


def _unit(name: str) -> str:
    return next((unit for end, unit in _UNITS.items() if name.endswith(end)), "")
