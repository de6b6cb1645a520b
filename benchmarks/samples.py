"""What was measured: every single value is kept; a figure is the median of its rounds."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import median
from typing import NamedTuple, Self

import orjson


class Cell(NamedTuple):
    """One figure: a `measure` (its name ends with the unit) of a `subject` (a pipeline) in a `case` of a `part`."""

    part: str
    case: str
    subject: str
    measure: str


class Sample(NamedTuple):
    part: str
    case: str
    subject: str
    measure: str
    round: int
    value: float

    @property
    def cell(self) -> Cell:
        return Cell(*self[:4])


class Figure(NamedTuple):
    median: float
    least: float
    most: float
    rounds: int

    @classmethod
    def of(cls, values: Iterable[float]) -> Self:
        ranked = sorted(values)
        return cls(median(ranked), ranked[0], ranked[-1], len(ranked))


@dataclass(frozen=True, slots=True)
class Run:
    """How a part was measured; `failed` is the error that ended it early, if one did."""

    rounds: int
    quick: bool
    seconds: float
    machine: Mapping[str, str]
    failed: str = ""


@dataclass
class Samples:
    values: list[Sample] = field(default_factory=list)
    runs: dict[str, Run] = field(default_factory=dict)

    def add(self, part: str, case: str, subject: str, round_: int, **measured: float) -> None:
        self.values += [Sample(part, case, subject, measure, round_, value) for measure, value in measured.items()]

    def figures(self) -> dict[Cell, Figure]:
        """Return the figures in the order in which they were first measured."""
        cells: dict[Cell, list[float]] = {}
        for each in self.values:
            cells.setdefault(each.cell, []).append(each.value)
        return {cell: Figure.of(values) for cell, values in cells.items()}

    def ratio(self, over: Cell, *under: Cell) -> Figure | None:
        """Return one cell over another, taken within each round: what slows a round slows both.

        Several cells `under` are rates whose times are added: the ratio is the sum of the ratios to each.
        """
        ratios = list(self._ratios(over, under))
        return Figure.of(ratios) if ratios else None

    def replace(self, part: str, other: Self) -> None:
        """Replace a part's values and run by those of another run of the benchmark."""
        self.values = [each for each in self.values if each.part != part]
        self.values += [each for each in other.values if each.part == part]
        self.runs[part] = other.runs[part]

    def write(self, path: Path) -> None:
        """Write JSON with a line for each value; the old file is replaced at once or not at all."""
        path.parent.mkdir(parents=True, exist_ok=True)
        runs = orjson.dumps({name: asdict(run) for name, run in self.runs.items()}, option=orjson.OPT_INDENT_2)
        lines = b",\n".join(orjson.dumps(each._asdict()) for each in self.values)
        new = path.with_suffix(".new")
        new.write_bytes(b'{"runs": ' + runs + b',\n"samples": [\n' + lines + b"\n]}\n")
        new.replace(path)

    @classmethod
    def read(cls, path: Path) -> Self:
        """Return what the file holds; nothing if there is no file."""
        if not path.exists():
            return cls()
        found = orjson.loads(path.read_bytes())
        runs = {name: Run(**run) for name, run in found["runs"].items()}
        return cls([Sample(**each) for each in found["samples"]], runs)

    def _ratios(self, over: Cell, under: Iterable[Cell]) -> Iterator[float]:
        peers = [self._rounds(cell) for cell in under]
        for number, value in self._rounds(over).items():
            if peers and all(peer.get(number) for peer in peers):
                yield sum(value / peer[number] for peer in peers)

    def _rounds(self, cell: Cell) -> dict[int, float]:
        return {each.round: each.value for each in self.values if each.cell == cell}
