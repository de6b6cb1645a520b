"""PURE: values over time as the points of a picture."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

WIDTH, HEIGHT = 600.0, 60.0
"""Of a picture, in its own units."""

_LEAST_TOP = 1.0  # a line of zeros lies on the ground


@dataclass(frozen=True, slots=True)
class Window:
    """A time in Unix seconds, and how many seconds lie between two values."""

    begins: float
    ends: float
    step: float


@dataclass(frozen=True, slots=True)
class Chart:
    """Lines from left to right; each is an SVG path, broken where values are missing. `top` is the value at the top."""

    path: str
    top: float
    last: float | None


def chart(points: Sequence[tuple[float, float]], window: Window) -> Chart:
    """Return the picture of values by moment; two that are further apart than two steps are not joined."""
    top = max([value for _, value in points], default=0.0)
    scale = max(top, _LEAST_TOP)

    def place(point: tuple[float, float]) -> str:
        x = WIDTH * (point[0] - window.begins) / (window.ends - window.begins)
        return f"{x:.1f} {HEIGHT - HEIGHT * point[1] / scale:.1f}"

    path = "".join(f"{command}{place(point)}" for command, point in _commands(points, 2 * window.step))
    return Chart(path, top, points[-1][1] if points else None)


def _commands(points: Sequence[tuple[float, float]], most: float) -> Iterator[tuple[str, tuple[float, float]]]:
    if points:
        yield "M", points[0]
    for before, point in pairwise(points):
        yield ("L" if point[0] - before[0] <= most else "M"), point
