"""The axis of time: which moments it covers, and where its ticks are."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from math import ceil

from services.console.call.moments import since
from services.console.call.timeline.items import Item, Kind

WIDTH = 1_000.0
"""The picture's width, in its own units."""

_STEPS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 14_400, 43_200, 86_400, 604_800)
_MOST_TICKS = 6
_LEAST_MARGIN_MS = 30_000
_AT_CORE = frozenset({Kind.EVENT, Kind.END})


@dataclass(frozen=True, slots=True)
class Tick:
    """A mark on the axis: `percent` of the width, `x` of `WIDTH`."""

    x: float
    percent: float
    text: str


@dataclass(frozen=True, slots=True)
class Axis:
    """The moments from `begins` to `ends` (Unix milliseconds); what lies outside is shown at its edge."""

    begins: int
    ends: int
    zero: int

    def x(self, moment: int) -> float:
        inside = min(max(moment, self.begins), self.ends)
        return round(WIDTH * (inside - self.begins) / (self.ends - self.begins), 1)

    def holds(self, moment: int) -> bool:
        return self.begins <= moment <= self.ends

    def ticks(self) -> Iterator[Tick]:
        seconds = (self.ends - self.begins) / 1000
        longest = _STEPS[-1] * ceil(seconds / (_STEPS[-1] * _MOST_TICKS))
        step = next((each for each in _STEPS if seconds <= each * _MOST_TICKS), longest)
        first = -((self.zero - self.begins) // (step * 1000))
        for number in range(first, (self.ends - self.zero) // (step * 1000) + 1):
            at = self.zero + number * step * 1000
            yield Tick(self.x(at), round(self.x(at) * 100 / WIDTH, 2), since(at, self.zero))


def axis_of(items: Sequence[Item], zero: int | None, ended: int | None) -> Axis:
    """Return the axis: talk, tools, legs, start and end, and other events that are not far from them.

    A recording that becomes available hours later would leave no room for the call.
    """
    core = list(_moments(item for item in items if item.kind not in _AT_CORE))
    every = list(_moments(items))
    core += [moment for moment in (zero, ended) if moment is not None]
    core = core or every or [0]
    begins, ends = min(core), max(core)
    margin = max(_LEAST_MARGIN_MS, (ends - begins) // 4)
    near = [moment for moment in every if begins - margin <= moment <= ends + margin]
    begins, ends = min([begins, *near]), max([ends, *near])
    return Axis(begins, max(ends, begins + 1_000), begins if zero is None else zero)


def _moments(items: Iterable[Item]) -> Iterator[int]:
    for item in items:
        yield item.start
        yield item.end
