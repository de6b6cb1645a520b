"""What was measured as tables: of text, in Markdown, or for a terminal."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rich import box
from rich.table import Table

from benchmarks.samples import Cell, Figure, Samples
from benchmarks.verdicts import Judged

MEASURES = {
    "events_per_second": "events/s",
    "cpu_us_per_event": "CPU, µs an event",
    "cpu_us_per_event_with_servers": "with the servers', µs",
    "mongod_cpu_us_per_event": "of it mongod's, µs",
    "us_per_event": "µs an event",
    "peak_mb": "peak, MB",
    "requests_per_second": "requests/s",
    "p50_ms": "p50, ms",
    "p99_ms": "p99, ms",
    "max_ms": "max, ms",
    "question_ms": "a question, ms",
    "asking_cpu_percent": "asking, % of a core",
    "worker_cpu_percent": "worker, % of a core",
    "api_cpu_percent": "API, % of a core",
    "failed_at_events": "failed at, events",
    "events_per_cpu_second": "events per CPU-second",
    "events_per_cpu_second_with_servers": "with the servers'",
    "seconds_without_progress": "a partition without progress, s",
    "seconds_without_any": "all without progress, s",
}
"""The words of measures whose names alone do not say their unit."""

NOT_MEASURED = "not measured"
_NOTHING = "–"  # noqa: RUF001 - a dash, as in any table


@dataclass(frozen=True, slots=True)
class Grid:
    """A table of text; the first `words` columns are set flush left, the numbers behind them flush right."""

    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    words: int

    def markdown(self) -> str:
        """Return it in Markdown."""
        ruler = ["---"] * self.words + ["---:"] * (len(self.columns) - self.words)
        return "\n".join(f"| {' | '.join(cells)} |" for cells in (self.columns, ruler, *self.rows))

    def printed(self, title: str) -> Table:
        """Return it for a terminal."""
        table = Table(title=title, box=box.SIMPLE_HEAD, title_justify="left", pad_edge=False)
        for place, name in enumerate(self.columns):
            table.add_column(name, justify="left" if place < self.words else "right")
        for row in self.rows:
            table.add_row(*row)
        return table


def measured(samples: Samples, part: str) -> Grid:
    """Return the figures of a part: a row for each subject of each case, a column for each measure."""
    figures = {cell: found for cell, found in samples.figures().items() if cell.part == part}
    names = list(dict.fromkeys(cell.measure for cell in figures))
    rows = list(dict.fromkeys((cell.case, cell.subject) for cell in figures))
    usual = samples.runs[part].rounds if part in samples.runs else 0
    return Grid(
        ["", "", *(MEASURES.get(name, name.replace("_", " ")) for name in names)],
        [
            [case, subject, *(_cell(figures.get(Cell(part, case, subject, name)), usual) for name in names)]
            for case, subject in rows
        ],
        words=2,
    )


def judged(found: Iterable[Judged]) -> Grid:
    """Return the targets with what was measured and what became of them."""
    return Grid(
        ["figure", "unit", "asked", "measured", ""],
        [[each.target.name, each.target.of, each.target.asked, _measured(each), each.verdict] for each in found],
        words=2,
    )


def number(value: float) -> str:
    """Return a number with three digits, or all before the point; a whole one as it is."""
    digits = 2 if round(abs(value), 2) < 10 else 1 if round(abs(value), 1) < 100 else 0
    return f"{value:,.0f}" if value == round(value) else f"{value:,.{digits}f}"


def spread(found: Figure) -> str:
    """Return a median with the least and the most of its rounds."""
    if found.least == found.most:
        return number(found.median)
    return f"{number(found.median)} ({number(found.least)} to {number(found.most)})"


def _cell(found: Figure | None, usual: int) -> str:
    if found is None:
        return _NOTHING
    rounds = f", {found.rounds} of {usual} rounds" if found.rounds < usual else ""
    return spread(found) + rounds


def _measured(each: Judged) -> str:
    return NOT_MEASURED if each.figure is None else spread(each.figure)
