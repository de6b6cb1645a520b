"""Latency percentiles."""

from collections.abc import Sequence
from math import floor

from shared.fold.record import Percentiles

_PLACES = 6


def percentiles(values: Sequence[float]) -> Percentiles:
    """Return the percentiles of `values` (milliseconds, at least one); `values` keeps its order."""
    ranked = sorted(values)
    return {
        "max": ranked[-1],
        "min": ranked[0],
        "num": len(ranked),
        "p50": quantile(ranked, 0.50),
        "p90": quantile(ranked, 0.90),
        "p95": quantile(ranked, 0.95),
        "p99": quantile(ranked, 0.99),
        "values": list(values),
    }


def quantile(ranked: Sequence[float], q: float) -> float:
    """Return the quantile `q` of sorted samples, rounded to 6 places.

    Linear interpolation between closest ranks: `h = (n - 1) q`, `x[i] + (h - i)(x[i+1] - x[i])`, `i = floor(h)`.
    It is type 7 of Hyndman and Fan, "Sample Quantiles in Statistical Packages" (1996), and NumPy's default.
    """
    h = (len(ranked) - 1) * q
    i = floor(h)
    above = ranked[min(i + 1, len(ranked) - 1)]
    value = round(ranked[i] + (h - i) * (above - ranked[i]), _PLACES)
    return int(value) if value == int(value) else value  # JSON shows 412 and not 412.0
