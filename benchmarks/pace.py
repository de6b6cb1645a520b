"""How long the rest takes, going by earlier runs."""

import time
from collections.abc import Callable, Iterable, Sequence

from benchmarks.plan import Plan
from benchmarks.samples import Run, Samples

_QUICK = 0.15
"""What a quick run takes of a whole one, where none was seen; a guess."""


class Pace:
    """The parts of a run, and how long each takes by what earlier runs took for a round of it."""

    def __init__(
        self, parts: Sequence[str], plan: Plan, earlier: Iterable[Samples], clock: Callable[[], float] = time.monotonic
    ) -> None:
        seen = list(earlier)
        self._seconds = {part: _expected(part, plan, seen) for part in parts}
        self._clock = clock
        self._began = clock()

    def begin(self, part: str) -> None:
        """Note that this part begins, and that those before it are over."""
        while next(iter(self._seconds)) != part:
            del self._seconds[next(iter(self._seconds))]
        self._began = self._clock()

    def left(self) -> float | None:
        """Return the seconds that are left, None if a part has no earlier run to go by."""
        known = [seconds for seconds in self._seconds.values() if seconds is not None]
        if not known or len(known) < len(self._seconds):
            return None
        gone = self._clock() - self._began
        return max(known[0] - gone, 0.0) + sum(known[1:])


def _expected(part: str, plan: Plan, seen: Iterable[Samples]) -> float | None:
    runs = [each.runs[part] for each in seen if part in each.runs and not each.runs[part].failed]
    alike = [run for run in runs if run.quick == plan.quick]
    if alike:
        return _a_round(alike[0]) * plan.rounds
    return _a_round(runs[0]) * plan.rounds * (_QUICK if plan.quick else 1 / _QUICK) if runs else None


def _a_round(run: Run) -> float:
    return run.seconds / run.rounds
