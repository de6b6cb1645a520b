"""PURE: dead letters over time as bars, one upon the other by reason."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from services.console.dead_letters.rows import Row
from shared.contract.problems import Reason

WIDTH, HEIGHT = 960.0, 120.0
"""Of the picture, in its own units."""

_MOST_BARS = 60
_GAP = 1.0
_LEAST_HEIGHT = 1.5  # less could not be seen
_MINUTE, _HOUR, _DAY = 60, 3_600, 86_400
_STEPS = (
    *(1, 5, 15, _MINUTE, 5 * _MINUTE, 15 * _MINUTE, _HOUR, 3 * _HOUR, 6 * _HOUR, 12 * _HOUR),
    *(_DAY, 7 * _DAY, 28 * _DAY, 364 * _DAY),
)
_KINDS = {reason.value: f"reason-{place}" for place, reason in enumerate(Reason)}


@dataclass(frozen=True, slots=True)
class Bar:
    """The dead letters of one reason in one step of time, which begins at `begins` (Unix milliseconds)."""

    reason: str | None
    count: int
    begins: int
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Chart:
    """Bars between two Unix times in milliseconds; `step` is the seconds of each, `top` the count of the highest."""

    begins: int
    ends: int
    step: int
    top: int
    bars: Sequence[Bar]


def kind_of(reason: str | None) -> str:
    """Return the name of the reason's colour."""
    return _KINDS.get(reason or "", "reason-other")


def chart(rows: Sequence[Row]) -> Chart | None:
    """Return the picture, None of no dead letters."""
    if not rows:
        return None
    moments = [row.moment for row in rows]
    step = _step_of(max(moments) - min(moments))
    first, last = min(moments) // (1000 * step), max(moments) // (1000 * step)
    counts = Counter((row.moment // (1000 * step) - first, row.reason) for row in rows)
    top = max(Counter(row.moment // (1000 * step) for row in rows).values())
    width = WIDTH / (last - first + 1)
    bars = [
        Bar(reason, count, (first + place) * 1000 * step, width * place, HEIGHT - y - height, width - _GAP, height)
        for place, reason, count, y, height in _stacked(counts, top)
    ]
    return Chart(first * 1000 * step, (last + 1) * 1000 * step, step, top, bars)


def _step_of(milliseconds: int) -> int:
    return next((step for step in _STEPS if milliseconds / 1000 / step < _MOST_BARS), _STEPS[-1])


def _stacked(counts: Counter[tuple[int, str | None]], top: int) -> Iterator[tuple[int, str | None, int, float, float]]:
    """Yield place, reason and count, and how far above the ground each begins and how high it is."""
    heights = Counter[int]()
    for (place, reason), count in sorted(counts.items(), key=lambda each: (each[0][0], each[0][1] or "")):
        height = HEIGHT * count / top
        yield place, reason, count, HEIGHT * heights[place] / top, max(height, _LEAST_HEIGHT)
        heights[place] += count
