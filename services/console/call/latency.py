"""Latency: how the samples of each component are distributed, and which reply was the slowest."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from services.console.call.samples import REPLIES, SLOW_MS, Sample
from shared.fold.record import Percentiles, Record

BARS = 30
WIDTH = 300.0
HEIGHT = 72.0
_BAR = WIDTH / BARS
_STEPS = (1, 2, 2.5, 5, 10)
_TICKS = 4


@dataclass(frozen=True, slots=True)
class Bar:
    """A bar of a histogram, in the picture's units; `slow`: its replies are marked as slow."""

    x: float
    y: float
    width: float
    height: float
    slow: bool
    title: str


@dataclass(frozen=True, slots=True)
class Mark:
    """A value on the axis, at `percent` of its width."""

    percent: float
    text: str


@dataclass(frozen=True, slots=True)
class Distribution:
    """The samples of one component; `slowest` has the maximum."""

    component: str
    figures: Percentiles
    bars: Sequence[Bar]
    ticks: Sequence[Mark]
    marks: Sequence[Mark]
    slowest: Sample | None


def distributions(record: Record, samples: Sequence[Sample]) -> list[Distribution]:
    slowest = _slowest(samples)
    return [
        _distribution(component, figures, slowest.get(component))
        for component, figures in (record["latency"] or {}).items()
    ]


def _slowest(samples: Iterable[Sample]) -> dict[str, Sample]:
    slowest: dict[str, Sample] = {}
    for sample in samples:
        known = slowest.get(sample.component)
        if known is None or sample.milliseconds > known.milliseconds:
            slowest[sample.component] = sample
    return slowest


def _distribution(component: str, figures: Percentiles, slowest: Sample | None) -> Distribution:
    step = _nice(figures["max"] / _TICKS)
    top = step * max(1, -(-figures["max"] // step))
    counts = [0] * BARS
    for value in figures["values"]:
        counts[min(BARS - 1, int(value * BARS / top))] += 1
    most = max(counts)
    return Distribution(
        component,
        figures,
        bars=[_bar(component, n, count, most, top) for n, count in enumerate(counts) if count],
        ticks=[_mark(n * step, top, f"{n * step:,g}") for n in range(int(top / step) + 1)],
        marks=[_mark(figures["p50"], top, "p50"), _mark(figures["p95"], top, "p95")],
        slowest=slowest,
    )


def _bar(component: str, number: int, count: int, most: int, top: float) -> Bar:
    high = max(2.0, round(HEIGHT * count / most, 1))
    begins, ends = top * number / BARS, top * (number + 1) / BARS
    slow = component in REPLIES and begins >= SLOW_MS
    samples = "1 sample" if count == 1 else f"{count:,} samples"
    title = f"{samples} from {begins:,.0f} to {ends:,.0f} ms"
    return Bar(round(number * _BAR + 0.5, 1), HEIGHT - high, _BAR - 1, high, slow, title)


def _mark(value: float, top: float, text: str) -> Mark:
    return Mark(round(value * 100 / top, 2), text)


def _nice(least: float) -> float:
    """Return the least of 1, 2, 2.5, 5, 10, 20, 25, 50, 100 and so on that is not below `least`."""
    power = 1.0
    while power * _STEPS[-1] < least:
        power *= 10
    return next(power * step for step in _STEPS if power * step >= least)
