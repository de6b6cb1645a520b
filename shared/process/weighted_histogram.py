"""A histogram for what every batch observes: many equal observations at once, and without locks.

That of `prometheus_client` adds observations one by one, and takes two locks for each.
"""

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from itertools import accumulate

from prometheus_client.core import HistogramMetricFamily
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString


class Series:
    """The observations with one value of the label."""

    def __init__(self, bounds: Sequence[float]) -> None:
        self._bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.sum = 0.0

    def observe(self, amount: float, count: int = 1) -> None:
        """Add `count` observations of this amount."""
        self.counts[bisect_left(self._bounds, amount)] += count
        self.sum += amount * count


class WeightedHistogram(Collector):
    """For one thread, with one label or none. `buckets` are the upper bounds in ascending order, without +Inf."""

    def __init__(self, name: str, documentation: str, buckets: Sequence[float], label: str | None = None) -> None:
        self._name = name
        self._documentation = documentation
        self._bounds = tuple(buckets)
        self._label = label
        self._series: dict[str, Series] = {}

    def series(self, value: str = "") -> Series:
        """Return the series of a value of the label, or the only one where there is no label."""
        return self._series.setdefault(value, Series(self._bounds))

    def describe(self) -> Iterable[HistogramMetricFamily]:
        return [self._family()]

    def collect(self) -> Iterable[HistogramMetricFamily]:
        family, bounds = self._family(), [*map(floatToGoString, self._bounds), "+Inf"]
        for value, series in self._series.items():
            buckets = list(zip(bounds, map(float, accumulate(series.counts)), strict=True))
            family.add_metric([value] if self._label else [], buckets, series.sum)
        return [family]

    def _family(self) -> HistogramMetricFamily:
        return HistogramMetricFamily(self._name, self._documentation, labels=[self._label] if self._label else [])
