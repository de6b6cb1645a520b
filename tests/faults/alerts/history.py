"""PURE: what fired, and when, from what Prometheus has of the series `ALERTS`."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from tests.faults.alerts.explained import Alert

QUERY = 'ALERTS{severity="page"}'

_STATE = "alertstate"
_Labels = tuple[tuple[str, str], ...]


def alerts_of(result: Iterable[Mapping[str, Any]], step: float) -> Iterator[Alert]:
    """Yield each time that an alert fired, from the result of a range query of `QUERY` in steps of so many seconds."""
    states: defaultdict[_Labels, dict[float, str]] = defaultdict(dict)
    for series in result:
        labels = tuple(sorted((name, value) for name, value in series["metric"].items() if name != _STATE))
        states[labels] |= {float(at): series["metric"][_STATE] for at, _ in series["values"]}
    for labels, by_time in states.items():
        for times in _unbroken(sorted(by_time), step):
            firing = [at for at in times if by_time[at] == "firing"]
            if firing:
                named = dict(labels)
                yield Alert(named["alertname"], times[0], firing[0], times[-1], named.get("dependency", ""))


def _unbroken(times: Iterable[float], step: float) -> Iterator[list[float]]:
    """Yield the times in groups without a gap of more than two steps."""
    group: list[float] = []
    for at in times:
        if group and at - group[-1] > 2 * step:
            yield group
            group = []
        group.append(at)
    if group:
        yield group
