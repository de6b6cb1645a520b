"""The judgement after each second of a story."""

from collections.abc import Iterable, Iterator
from itertools import groupby

from shared.lag.history import History
from shared.lag.judge import judge
from shared.lag.models import Lag, Reading, Verdict

GROUP = "callfold"


def judged(readings: Iterable[Reading]) -> Iterator[Lag]:
    """Return what is judged after each reading."""
    history = History()
    for reading in readings:
        history.add(reading)
        yield judge(GROUP, history)


def verdicts(readings: Iterable[Reading]) -> list[Verdict]:
    """Return the verdict after each reading."""
    return [lag.verdict for lag in judged(readings)]


def changes(readings: Iterable[Reading]) -> list[Verdict]:
    """Return the verdicts in their order, each once while it lasts."""
    return [verdict for verdict, _ in groupby(verdicts(readings))]
