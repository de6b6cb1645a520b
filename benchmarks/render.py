"""Renders samples: tables and plots, in a folder of their own or into docs/performance.md, between markers.

A block of the document begins with `<!-- ingest -->` and ends with `<!-- /ingest -->`.
"""

import io
import re
from collections.abc import Callable, Collection, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import Any

from matplotlib import rc_context
from matplotlib.figure import Figure as Canvas

from benchmarks.samples import Cell, Figure, Run, Samples
from benchmarks.targets import Verdict, judge

ROOT = Path(__file__).parents[1]
RECORDED = Path("docs/performance/samples.json")
DOCUMENT = Path("docs/performance.md")
PARTS = ("ingest", "against", "fresh", "read", "long", "scale")
UNEXPLAINED = "TO BE EXPLAINED in benchmarks/targets.py"

_COLUMNS = {
    "final_too_early": "incomplete final records",
    "mongod_bytes_per_event": "bytes written by mongod per event",
    "left_behind": "not stored at the end",
    "question_ms": "one request ms",
    "asking_cpu_percent": "client cpu percent",
    "seconds_without_progress": "one partition without progress s",
    "seconds_without_any": "all without progress s",
}
_WORDS = {"us": "µs", "cpu": "CPU", "mb": "MB", "api": "API", "percent": "%"}
_NOT_MEASURED = "not measured"
_NOTHING = "–"  # noqa: RUF001 - a dash, as in any table
_LOAD = "load at the start"
_OURS, _LIMIT = "callfold", "limit: "
_BLUE, _ORANGE, _GREY = "#1f8fd6", "#d9822b", "#797979"  # readable on light and on dark
_STYLE = {
    "svg.hashsalt": _OURS,  # the same bytes for the same figures
    "svg.fonttype": "none",  # text stays text, in the reader's font
    "font.size": 9,
    "text.parse_math": False,  # MongoDB's operators begin with a dollar
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    **dict.fromkeys(
        ("text.color", "axes.edgecolor", "axes.labelcolor", "xtick.color", "ytick.color", "legend.labelcolor"), _GREY
    ),
}


@dataclass(frozen=True, slots=True)
class Table:
    """The first `texts` columns are flush left, the numbers flush right."""

    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    texts: int = 2

    def markdown(self) -> str:
        ruler = ["---"] * self.texts + ["---:"] * (len(self.columns) - self.texts)
        return "\n".join(f"| {' | '.join(cells)} |" for cells in (self.columns, ruler, *self.rows))


def measured_table(samples: Samples, part: str) -> Table:
    """Return a row for each subject of each case, a column for each measure."""
    figures = {cell: found for cell, found in samples.figures().items() if cell.part == part}
    measures = list(dict.fromkeys(cell.measure for cell in figures))
    rounds = samples.runs[part].rounds

    def cell(case: str, subject: str, measure: str) -> str:
        found = figures.get(Cell(part, case, subject, measure))
        if found is None:
            return _NOTHING
        return spread(found) + (f", {found.rounds} of {rounds} rounds" if found.rounds < rounds else "")

    return Table(
        ["case", "pipeline", *map(_column, measures)],
        [
            [case, subject, *(cell(case, subject, name) for name in measures)]
            for case, subject in dict.fromkeys((cell.case, cell.subject) for cell in figures)
        ],
    )


def _column(measure: str) -> str:
    words = _COLUMNS.get(measure, measure.replace("_", " ")).split()
    return " ".join(_WORDS.get(word, word) for word in words)


def targets_table(samples: Samples, parts: Container[str] = PARTS) -> Table:
    return Table(
        ["figure", "unit", "goal", "asked", "measured", "verdict"],
        [
            [
                each.target.name,
                each.target.unit,
                _NOTHING if each.target.goal is None else number(each.target.goal),
                each.target.asked,
                spread(each.figure),
                each.verdict,
            ]
            for each in judge(samples)
            if each.target.over.part in parts
        ],
    )


def missed_table(samples: Samples) -> Table:
    """Return the targets that are not reached, those with the same reasons together."""
    missed = [each for each in judge(samples) if each.verdict is Verdict.MISSED]
    rows = []
    for gap in dict.fromkeys(each.target.gap for each in missed):
        same = [each for each in missed if each.target.gap == gap]
        lines = zip(*((each.target.name, each.target.asked, spread(each.figure)) for each in same), strict=True)
        rows.append([*map("<br>".join, lines), *(gap or (UNEXPLAINED, UNEXPLAINED))])
    return Table(["figure", "asked", "measured", "why it is not reached", "what was tried"], rows, texts=5)


def machines(samples: Samples) -> str:
    """Return what each part was measured on: one table for all parts on the same machine."""

    def machine(run: Run) -> list[tuple[str, str]]:
        return [each for each in run.machine.items() if each[0] != _LOAD]

    tables = []
    runs = sorted(samples.runs.items(), key=lambda each: sorted(machine(each[1])))
    for described, group in groupby(runs, key=lambda each: machine(each[1])):
        same = dict(group)
        load = ", ".join(f"{run.machine[_LOAD]} ({part})" for part, run in same.items() if _LOAD in run.machine)
        tables.append(Table([", ".join(same), ""], [*described, (_LOAD, load)]).markdown())
    return "\n\n".join(tables) or f"{_NOT_MEASURED.capitalize()}."


def part_text(samples: Samples, part: str) -> str:
    """Return the table of a part with how it was measured."""
    if part not in samples.runs:
        return f"{_NOT_MEASURED.capitalize()}."
    run = samples.runs[part]
    rounds = f"Median of {run.rounds} rounds (least to most)" if run.rounds > 1 else "One round"
    rounds += ", main cases only" if run.quick else ""
    failed = f"\n\n**It failed and is incomplete:** {run.failed}" if run.failed else ""
    table = measured_table(samples, part).markdown()
    return f"{rounds}; it took {run.seconds / 60:.0f} min.{failed}\n\n{table}"


def number(value: float) -> str:
    """Return a number with three digits, or all before the point; a whole one as it is."""
    digits = 2 if round(abs(value), 2) < 10 else 1 if round(abs(value), 1) < 100 else 0
    return f"{value:,.0f}" if value == round(value) else f"{value:,.{digits}f}"


def spread(found: Figure | None) -> str:
    """Return a median with the least and the most of its rounds."""
    if found is None:
        return _NOT_MEASURED
    if found.least == found.most:
        return number(found.median)
    return f"{number(found.median)} ({number(found.least)} to {number(found.most)})"


def plots(samples: Samples) -> dict[str, Callable[[], bytes]]:
    """Return what draws the plot, as SVG, of each part that was measured and has one."""
    drained = _by_case(samples, "ingest", "events_per_second")
    answered = _by_case(samples, "read", "requests_per_second")
    costs = _by_case(samples, "long", "cpu_us_per_event")
    for bars in drained.values():
        for limit in [name for name in bars if name.startswith(_LIMIT)]:  # they would dwarf the pipelines
            del bars[limit]
    compared = {case: bars for case, bars in answered.items() if len(bars) > 1}
    # At 16 connections, or at the one number that is compared.
    alone = [case for case in compared if f"{case.rpartition(', ')[0]}, 16 connections" not in compared]
    shown = {case: bars for case, bars in compared.items() if case.endswith(", 16 connections") or case in alone}
    drawn: dict[str, Callable[[], bytes]] = {}
    if drained:
        drawn["ingest"] = partial(_bars, drained, "events/s")
    if shown:
        drawn["read"] = partial(_bars, shown, "requests/s")
    if costs:
        drawn["long"] = partial(_curves, costs, _by_case(samples, "long", "failed_at_events"))
    return drawn


def _by_case(samples: Samples, part: str, measure: str) -> dict[str, dict[str, Figure]]:
    cases: dict[str, dict[str, Figure]] = {}
    for cell, found in samples.figures().items():
        if (cell.part, cell.measure) == (part, measure):
            cases.setdefault(cell.case, {})[cell.subject] = found
    return cases


def _bars(panels: Mapping[str, Mapping[str, Figure]], unit: str) -> bytes:
    sizes = [len(bars) + 3 for bars in panels.values()]
    with rc_context(_STYLE):
        canvas = Canvas(figsize=(8, 0.26 * sum(sizes)), layout="constrained")
        axes = canvas.subplots(len(panels), squeeze=False, height_ratios=sizes)[:, 0]
        for axis, (case, bars) in zip(axes, panels.items(), strict=True):
            medians = [each.median for each in bars.values()]
            drawn = axis.barh(list(bars), medians, xerr=_errors(bars.values()), color=_colors(bars), ecolor=_GREY)
            axis.bar_label(drawn, list(map(number, medians)), padding=4)
            axis.invert_yaxis()
            axis.margins(x=0.12)
            axis.xaxis.set_major_formatter("{x:,.0f}")
            axis.set_title(f"{case}: {unit}")
        return _svg(canvas)


def _curves(costs: Mapping[str, Mapping[str, Figure]], ends: Mapping[str, Mapping[str, Figure]]) -> bytes:
    named = {"from a backlog": r"([\d,]+) events", "as calls go on": r"([\d,]+) events, going on"}
    panels = {title: lines for title, pattern in named.items() if (lines := _by_length(costs, pattern))}
    with rc_context(_STYLE):
        canvas = Canvas(figsize=(8, 3.4), layout="constrained")
        axes = canvas.subplots(1, len(panels), squeeze=False, sharey=True)[0]
        for axis, (title, lines) in zip(axes, panels.items(), strict=True):
            failed = _by_length(ends, named[title])
            for (subject, points), color in zip(lines.items(), _colors(lines), strict=True):
                medians = [each.median for each in points.values()]
                errors = _errors(points.values())
                axis.errorbar(list(points), medians, errors, label=subject, color=color, marker="o", capsize=2)
                for end in failed.get(subject, {}).values():
                    axis.plot(end.median, medians[-1], color=color, marker="x", markersize=9)
                    text, place = f"fails at {end.median:,.0f} events", (end.median, medians[-1])
                    axis.annotate(text, place, xytext=(0, 8), textcoords="offset points", ha="right")
            axis.set(xscale="log", yscale="log", xlabel="events of the call", title=f"{title}: µs of CPU an event")
            axis.xaxis.set_major_formatter("{x:,.0f}")
            axis.yaxis.set_major_formatter("{x:,.0f}")
            axis.legend(frameon=False)
        return _svg(canvas)


def _by_length(cases: Mapping[str, Mapping[str, Figure]], pattern: str) -> dict[str, dict[int, Figure]]:
    """Return the figures of each subject by the length in the case's name, ascending."""
    lines: dict[str, dict[int, Figure]] = {}
    lengths = {case: int(found[1].replace(",", "")) for case in cases if (found := re.fullmatch(pattern, case))}
    for case in sorted(lengths, key=lengths.__getitem__):
        for subject, figure in cases[case].items():
            lines.setdefault(subject, {})[lengths[case]] = figure
    return lines


def _colors(subjects: Iterable[str]) -> list[str]:
    return [_BLUE if each.startswith(_OURS) else _ORANGE for each in subjects]


def _errors(found: Collection[Figure]) -> list[list[float]]:
    return [[each.median - each.least for each in found], [each.most - each.median for each in found]]


def _svg(canvas: Any) -> bytes:
    written = io.BytesIO()
    canvas.savefig(written, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    return b"\n".join(line.rstrip() for line in written.getvalue().splitlines()) + b"\n"


def summary(samples: Samples) -> str:
    parts = [f"## {part}\n\n{part_text(samples, part)}" for part in PARTS if part in samples.runs]
    return "\n\n".join([*parts, targets_table(samples, samples.runs).markdown(), machines(samples)]) + "\n"


def write(samples: Samples, folder: Path) -> None:
    """Write values, tables and plots into the folder."""
    samples.write(folder / "samples.json")
    (folder / "table.md").write_text(summary(samples), encoding="utf-8")
    _draw(samples, folder)


def record(samples: Samples, root: Path = ROOT) -> None:
    """Replace the recorded parts by those that were measured completely, and render them."""
    recorded = Samples.read(root / RECORDED)
    for part, run in samples.runs.items():
        if not run.failed:
            recorded.replace(part, samples)
    recorded.write(root / RECORDED)
    render(root)


def render(root: Path = ROOT) -> None:
    """Write the document's blocks and the plots from what is recorded."""
    recorded, path = Samples.read(root / RECORDED), root / DOCUMENT
    path.write_text(document(path.read_text(encoding="utf-8"), recorded), encoding="utf-8")
    _draw(recorded, (root / RECORDED).parent)


def document(text: str, samples: Samples) -> str:
    """Return the document with all blocks rendered.

    Raises:
        ValueError: a marker is missing.
    """
    blocks = {"targets": targets_table(samples).markdown(), "missed": missed_table(samples).markdown()}
    drawn = plots(samples)
    for part in PARTS:
        plot = f"\n\n![{part}]({RECORDED.parent.name}/{part}.svg)" if part in drawn else ""
        blocks[part] = part_text(samples, part) + plot
    for name, block in {**blocks, "machine": machines(samples)}.items():
        start, end = f"<!-- {name} -->\n", f"<!-- /{name} -->"
        before, found, rest = text.partition(start)
        _, ended, after = rest.partition(end)
        if not found or not ended:
            raise ValueError(f"the markers of {name} are missing")
        text = f"{before}{start}\n{block}\n\n{end}{after}"
    return text


def _draw(samples: Samples, folder: Path) -> None:
    for part, plot in plots(samples).items():
        (folder / f"{part}.svg").write_bytes(plot())
