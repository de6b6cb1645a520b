"""Latency percentiles (docs/record.md, Fields)."""

from collections.abc import Sequence
from math import floor
from operator import itemgetter

from shared.contract.decode_event import Event
from shared.fold.events import CallEvents, latest_of_each
from shared.fold.record import Percentiles

_PLACES = 6
_COMPONENTS = ("e2e", "asr", "llm", "llm_websocket_network_rtt", "tts", "knowledge_base", "s2s")


def latency(call: CallEvents) -> dict[str, Percentiles] | None:
    """Return the percentiles of each component with samples, those of `_COMPONENTS` first; None without samples."""
    samples: dict[str, list[float]] = {}
    for event in standing_samples(call):
        data = event.data
        samples.setdefault(data["component"], []).append(data["value_ms"])
    names = [*(name for name in _COMPONENTS if name in samples), *sorted(samples.keys() - set(_COMPONENTS))]
    return {name: percentiles(samples[name]) for name in names} or None


def standing_samples(call: CallEvents) -> Sequence[Event]:
    """Return the samples that stand, in order: of one source, component and `sample_id` the latest."""
    samples = call.carrying("latency.sampled")
    if not any("sample_id" in event.data for event in samples):
        return samples  # as in most calls
    return latest_of_each(samples, "sample_id", itemgetter("component"))


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
