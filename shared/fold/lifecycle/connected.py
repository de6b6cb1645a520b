"""How many legs and shares of a call were connected at a moment (docs/record.md, end_timestamp and call_duration)."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence

from shared.fold.lifecycle.end import End
from shared.fold.lifecycle.legs import Legs, Line, Owner

_NEVER = 2**63


class _Times:
    """When connections began and ended, each in order."""

    def __init__(self, intervals: Iterable[tuple[int, int]]) -> None:
        self._begun: list[int] = []
        self._ended: list[int] = []
        for begun, ended in intervals:
            self._begun.append(begun)
            self._ended.append(ended)
        self._begun.sort()
        self._ended.sort()

    def at(self, moment: int) -> int:
        """Return how many were connected; one that ends at the moment no longer is."""
        return bisect_right(self._begun, moment) - bisect_right(self._ended, moment)


class Connected:
    """The times at which each leg and share was connected: from a start to the first end that is not before it."""

    def __init__(self, legs: Legs, ends: Iterable[End]) -> None:
        moments = {end.event.ordering_key: end.moment for end in ends}
        intervals = {
            owner: list(_intervals(line, sorted(moments[end.ordering_key] for end in line.ends)))
            for owner, line in legs.lines.items()
        }
        self._all = _Times(interval for of_owner in intervals.values() for interval in of_owner)
        self._of: dict[Owner, _Times] = {owner: _Times(of_owner) for owner, of_owner in intervals.items()}

    def others_at(self, leg: str, moment: int) -> bool:
        """Return whether another leg or a source's own share was connected at the moment."""
        return self._all.at(moment) > self._of[leg, None].at(moment)


def _intervals(line: Line, moments: Sequence[int]) -> Iterable[tuple[int, int]]:
    """Yield the times at which a leg or share was connected; they do not overlap."""
    until = -1
    for start in line.starts:
        if start.time < until:
            continue
        ended = bisect_left(moments, start.time)
        until = moments[ended] if ended < len(moments) else _NEVER
        yield start.time, until
