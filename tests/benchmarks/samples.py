"""What was measured: every single value is kept, and a figure is the median of at least three of them."""

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

import orjson


@dataclass(frozen=True, slots=True)
class Sample:
    """One value: of a `subject` (a pipeline) in a `case` of a `part`, by a `measure` (with its unit), in one round."""

    part: str
    case: str
    subject: str
    measure: str
    round: int
    value: float


class Cell(NamedTuple):
    """What the rounds measured again and again."""

    part: str
    case: str
    subject: str
    measure: str


class Figure(NamedTuple):
    """The median of a cell's rounds, and the least and the most of them."""

    median: float
    least: float
    most: float
    rounds: int


@dataclass
class Samples:
    """All values of a run of the benchmark."""

    values: list[Sample] = field(default_factory=list)

    def add(self, part: str, case: str, subject: str, round_: int, **measured: float) -> None:
        """Take in what one round measured of a subject, by the names of the measures (`events_per_second`)."""
        for measure, value in measured.items():
            self.values.append(Sample(part, case, subject, measure, round_, value))

    def figures(self) -> dict[Cell, Figure]:
        """Return the figure of each cell, in the order in which they were first measured."""
        cells: dict[Cell, list[float]] = {}
        for each in self.values:
            cells.setdefault(Cell(each.part, each.case, each.subject, each.measure), []).append(each.value)
        return {cell: figure(values) for cell, values in cells.items()}

    def ratio(self, over: Cell, under: Cell) -> Figure | None:
        """Return one cell over another, compared round by round: what slows a round slows both."""
        pairs = list(self._rounds(over, under))
        return figure(pairs) if pairs else None

    def _rounds(self, over: Cell, under: Cell) -> Iterator[float]:
        first, second = self._of(over), self._of(under)
        for number, value in first.items():
            if second.get(number):
                yield value / second[number]

    def _of(self, cell: Cell) -> dict[int, float]:
        return {
            each.round: each.value
            for each in self.values
            if Cell(each.part, each.case, each.subject, each.measure) == cell
        }

    def write(self, path: Path, machine: dict[str, Any]) -> None:
        """Write everything as JSON."""
        path.parent.mkdir(parents=True, exist_ok=True)
        written = {"machine": machine, "samples": [asdict(each) for each in self.values]}
        path.write_bytes(orjson.dumps(written, option=orjson.OPT_INDENT_2))


def figure(values: Iterable[float]) -> Figure:
    """Return the median of the values and their spread."""
    ranked = sorted(values)
    return Figure(median(ranked), ranked[0], ranked[-1], len(ranked))
