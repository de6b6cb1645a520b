"""The earliest of several times whose moments lie in a range: what a scan of all would take too long for."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence

Best = tuple[tuple[int, str], ...]
"""The earliest `(time, source)`, and the earliest of another source; fewer where there are fewer."""


class EarliestNearby:
    """Finds the earliest time in a range of moments, but for those of one source, in `log n`.

    A sparse table: `_table[k][i]` has the best of the `2 ** k` entries from the i-th on, in the order of their moments.
    """

    def __init__(self, entries: Iterable[tuple[int, int, str]]) -> None:
        ordered = sorted(entries)
        self._moments = [moment for moment, _, _ in ordered]
        self._table: list[Sequence[Best]] = [[((time, source),) for _, time, source in ordered]]
        while (width := 2 ** len(self._table)) <= len(ordered):
            half, last = width // 2, self._table[-1]
            self._table.append([_best(last[i], last[i + half]) for i in range(len(ordered) - width + 1)])

    def earliest(self, first: int, last: int, *, but_for: str) -> int | None:
        """Return the earliest time of the entries with moments from `first` to `last`, but for those of a source."""
        start, stop = bisect_left(self._moments, first), bisect_right(self._moments, last)
        if start == stop:
            return None
        level = (stop - start).bit_length() - 1
        found = _best(self._table[level][start], self._table[level][stop - 2**level])
        return next((time for time, source in found if source != but_for), None)


def _best(one: Best, other: Best) -> Best:
    first, *others = sorted({*one, *other})
    return (first, *[pair for pair in others if pair[1] != first[1]][:1])
