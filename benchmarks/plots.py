"""PURE: what the plots show, as data; `drawing.py` draws it."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from benchmarks.samples import Cell, Figure, Samples

OURS = "callfold"
_LIMIT = "limit: "


@dataclass(frozen=True, slots=True)
class Bars:
    """A panel of bars, one for each subject."""

    title: str
    unit: str
    bars: Mapping[str, Figure]


@dataclass(frozen=True, slots=True)
class Curve:
    """Figures by the events of a call; `ends` says at how many it failed, if it did."""

    name: str
    points: Mapping[int, Figure]
    ends: float | None = None


@dataclass(frozen=True, slots=True)
class Curves:
    """A panel of curves, both axes logarithmic."""

    title: str
    across: str
    unit: str
    curves: tuple[Curve, ...]


Plot = tuple[Bars | Curves, ...]
"""Panels, all of one kind."""


def plots(samples: Samples) -> dict[str, Plot]:
    """Return the plot of each part that was measured and has one."""
    figures = samples.figures()
    found: dict[str, Plot] = {
        "ingest": tuple(_drains(figures)),
        "read": tuple(_answers(figures)),
        "long": tuple(_lengths(figures)),
    }
    return {part: plot for part, plot in found.items() if plot}


def _drains(figures: Mapping[Cell, Figure]) -> Iterator[Bars]:
    """Yield the pipelines by workload; the limits store nothing, and would dwarf them."""
    for case, bars in _by_case(figures, "ingest", "events_per_second"):
        pipelines = {name: found for name, found in bars.items() if not name.startswith(_LIMIT)}
        if len(pipelines) > 1 or case.endswith("events a call"):
            yield Bars(case, "events/s", pipelines)


def _answers(figures: Mapping[Cell, Figure]) -> Iterator[Bars]:
    """Yield who answers by what is asked: at 16 connections, or at the number that a case has alone."""
    cases = dict(_by_case(figures, "read", "requests_per_second"))
    for case, bars in cases.items():
        kind, _, connections = case.rpartition(", ")
        if connections == "16 connections" or f"{kind}, 16 connections" not in cases:
            yield Bars(case, "requests/s", bars)


def _lengths(figures: Mapping[Cell, Figure]) -> Iterator[Curves]:
    """Yield what an event costs by the length of its call: once for calls from a backlog, once as they go on."""
    for title, named in (("from a backlog", r"([\d,]+) events"), ("as calls go on", r"([\d,]+) events, going on")):
        if curves := tuple(_curves(figures, named)):
            yield Curves(title, "events of the call", "µs of CPU an event", curves)


def _curves(figures: Mapping[Cell, Figure], named: str) -> Iterator[Curve]:
    ends, points = dict[str, float](), dict[str, dict[int, Figure]]()
    for cell, found in figures.items():
        if cell.part != "long" or not (length := re.fullmatch(named, cell.case)):
            continue
        if cell.measure == "cpu_us_per_event":
            points.setdefault(cell.subject, {})[int(length[1].replace(",", ""))] = found
        elif cell.measure == "failed_at_events":
            ends[cell.subject] = min(found.median, ends.get(cell.subject, found.median))
    for subject, along in points.items():
        yield Curve(subject, dict(sorted(along.items())), ends.get(subject))


def _by_case(figures: Mapping[Cell, Figure], part: str, measure: str) -> Iterable[tuple[str, dict[str, Figure]]]:
    cases: dict[str, dict[str, Figure]] = {}
    for cell, found in figures.items():
        if (cell.part, cell.measure) == (part, measure):
            cases.setdefault(cell.case, {})[cell.subject] = found
    return cases.items()
