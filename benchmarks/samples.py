"""What was measured: every single value is kept, and a figure is the median of at least three of them."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import median
from typing import NamedTuple, Self

import orjson


class Cell(NamedTuple):
    """What the rounds measured again and again."""

    part: str
    case: str
    subject: str
    measure: str


@dataclass(frozen=True, slots=True)
class Sample:
    """One value: of a `subject` (a pipeline) in a `case` of a `part`, by a `measure` (with its unit), in one round."""

    part: str
    case: str
    subject: str
    measure: str
    round: int
    value: float

    @property
    def cell(self) -> Cell:
        """What it is one value of."""
        return Cell(self.part, self.case, self.subject, self.measure)


class Figure(NamedTuple):
    """The median of so many `rounds`, and the least and the most of them."""

    median: float
    least: float
    most: float
    rounds: int


@dataclass(frozen=True, slots=True)
class Run:
    """How a part was measured: on which machine, in how many seconds; `failed` says why it is not whole, if so."""

    rounds: int
    quick: bool
    seconds: float
    machine: Mapping[str, str]
    failed: str = ""


@dataclass
class Samples:
    """All values of a run of the benchmark, and how each part was run."""

    values: list[Sample] = field(default_factory=list)
    runs: dict[str, Run] = field(default_factory=dict)

    def add(self, part: str, case: str, subject: str, round_: int, **measured: float) -> None:
        """Take in what one round measured of a subject, by the names of the measures (`events_per_second`)."""
        for measure, value in measured.items():
            self.values.append(Sample(part, case, subject, measure, round_, value))

    def figures(self) -> dict[Cell, Figure]:
        """Return the figure of each cell, in the order in which they were first measured."""
        cells: dict[Cell, list[float]] = {}
        for each in self.values:
            cells.setdefault(each.cell, []).append(each.value)
        return {cell: figure(values) for cell, values in cells.items()}

    def ratio(self, over: Cell, *under: Cell) -> Figure | None:
        """Return one cell over another, compared round by round: what slows a round slows both.

        Several cells `under` are rates whose times are added: one over them all is the sum of the ratios to each.
        """
        pairs = list(self._rounds(over, under))
        return figure(pairs) if pairs else None

    def take(self, part: str, other: Self) -> None:
        """Put what another run measured of a part in place of what is here."""
        self.values = [each for each in self.values if each.part != part]
        self.values += [each for each in other.values if each.part == part]
        self.runs[part] = other.runs[part]

    def write(self, path: Path) -> None:
        """Write everything as JSON, a line each; whoever reads finds the old file or the new one."""
        path.parent.mkdir(parents=True, exist_ok=True)
        runs = orjson.dumps({name: asdict(run) for name, run in self.runs.items()}, option=orjson.OPT_INDENT_2)
        lines = b",\n".join(orjson.dumps(asdict(each)) for each in self.values)
        fresh = path.with_suffix(".new")
        fresh.write_bytes(b'{"runs": ' + runs + b',\n"samples": [\n' + lines + b"\n]}\n")
        fresh.replace(path)

    @classmethod
    def read(cls, path: Path) -> Self:
        """Return what was written; nothing where nothing was."""
        if not path.exists():
            return cls()
        found = orjson.loads(path.read_bytes())
        runs = {name: Run(**run) for name, run in found["runs"].items()}
        return cls([Sample(**each) for each in found["samples"]], runs)

    def _rounds(self, over: Cell, under: Iterable[Cell]) -> Iterator[float]:
        peers = [self._of(cell) for cell in under]
        for number, value in self._of(over).items():
            if peers and all(peer.get(number) for peer in peers):
                yield sum(value / peer[number] for peer in peers)

    def _of(self, cell: Cell) -> dict[int, float]:
        return {each.round: each.value for each in self.values if each.cell == cell}


def figure(values: Iterable[float]) -> Figure:
    """Return the median of the values and their spread."""
    ranked = sorted(values)
    return Figure(median(ranked), ranked[0], ranked[-1], len(ranked))
