"""PURE: the texts that hold what was measured, between markers: `<!-- ingest -->` to `<!-- /ingest -->`."""

import re
from collections.abc import Iterable, Mapping
from itertools import groupby

from benchmarks.plots import plots
from benchmarks.samples import Run, Samples
from benchmarks.tables import NOT_MEASURED, judged, measured, spread
from benchmarks.verdicts import Judged, judge, missed

PARTS = ("ingest", "fresh", "read", "long", "scale")
MISSED = "## What is missed"
UNWRITTEN = "TO BE WRITTEN: by how much it is missed, what was tried, and what stands in the way (a profile)."

_SAID = f"{NOT_MEASURED.capitalize()}."
_LOAD = "load at the start"


def tables(samples: Samples) -> str:
    """Return everything as one document by itself."""
    parts = [f"## {part}\n\n{figures(samples, part)}" for part in PARTS if part in samples.runs]
    return "\n\n".join([judged(judge(samples)).markdown(), *parts, machines(samples)]) + "\n"


def performance(text: str, samples: Samples, folder: str) -> str:
    """Return docs/performance.md anew; its plots lie in `folder`.

    Raises:
        ValueError: a marker is missing.
    """
    found = judge(samples)
    parts = {part: _part(samples, part, folder) for part in PARTS}
    return _places(_filled(text, {"targets": judged(found).markdown(), "machine": machines(samples)} | parts), found)


def readme(text: str, samples: Samples) -> str:
    """Return the README anew, with the headline figures.

    Raises:
        ValueError: the marker is missing.
    """
    headline = [each for each in judge(samples) if each.target.headline]
    rows = [
        f"| {each.target.name} | {spread(each.figure) if each.figure else NOT_MEASURED} | {each.target.asked} |"
        for each in headline
    ]
    return _filled(text, {"performance": "\n".join(["| ratio | measured | asked |", "|---|---|---|", *rows])})


def figures(samples: Samples, part: str) -> str:
    """Return the table of a part, with how it was measured."""
    if part not in samples.runs:
        return _SAID
    run = samples.runs[part]
    rounds = f"Median of {run.rounds} rounds (least to most)" if run.rounds > 1 else "One round"
    quick = ", the headline cells alone" if run.quick else ""
    failed = f"\n\n**It failed, and is not whole:** {run.failed}" if run.failed else ""
    return f"{rounds}{quick}; it took {run.seconds / 60:.0f} min.{failed}\n\n{measured(samples, part).markdown()}"


def machines(samples: Samples) -> str:
    """Return what each part was measured on: one table where it was the same for all."""
    runs = sorted(samples.runs.items(), key=lambda each: sorted(_machine(each[1]).items()))
    found = [(machine, list(each)) for machine, each in groupby(runs, key=lambda each: _machine(each[1]))]
    return "\n\n".join(_described(machine, dict(each)) for machine, each in found) or _SAID


def unwritten(text: str, found: Iterable[Judged]) -> list[str]:
    """Return the targets that were missed and have no paragraph, and the paragraphs of those that were not."""
    told = _paragraphs(text)
    names = missed(found)
    silent = [name for name in names if told.get(name, UNWRITTEN) in ("", UNWRITTEN)]
    return silent + [name for name in told if name not in names]


def _part(samples: Samples, part: str, folder: str) -> str:
    plot = f"\n\n![{part}]({folder}/{part}.svg)" if part in plots(samples) else ""
    return figures(samples, part) + plot


def _machine(run: Run) -> Mapping[str, str]:
    return {name: value for name, value in run.machine.items() if name != _LOAD}


def _described(machine: Mapping[str, str], runs: Mapping[str, Run]) -> str:
    load = ", ".join(f"{run.machine[_LOAD]} ({part})" for part, run in runs.items() if _LOAD in run.machine)
    rows = [f"| {name} | {value} |" for name, value in [*machine.items(), (_LOAD, load)]]
    return "\n".join([f"| {', '.join(runs)} | |", "|---|---|", *rows])


def _filled(text: str, blocks: Mapping[str, str]) -> str:
    for name, block in blocks.items():
        start, end = f"<!-- {name} -->\n", f"<!-- /{name} -->"
        before, found, rest = text.partition(start)
        _, ended, after = rest.partition(end)
        if not found or not ended:
            raise ValueError(f"the markers of {name} are missing")
        text = f"{before}{start}\n{block}\n\n{end}{after}"
    return text


def _places(text: str, found: Iterable[Judged]) -> str:
    """Give each missed target that has no paragraph yet a place for it, at the end of the section."""
    before, heading, after = text.partition(f"{MISSED}\n")
    if not heading:
        raise ValueError(f"there is no {MISSED!r}")
    own, rest = _section(after)
    places = [f"\n### {name}\n\n{UNWRITTEN}\n" for name in missed(found) if name not in _paragraphs(text)]
    return f"{before}{heading}{own}{''.join(places)}{rest}"


def _section(after: str) -> tuple[str, str]:
    """Cut a section's text off the sections behind it."""
    following = re.search(r"^\n## ", after, re.MULTILINE)
    place = following.start() if following else len(after)
    return after[:place], after[place:]


def _paragraphs(text: str) -> dict[str, str]:
    """Return the paragraphs about missed targets by their headings."""
    own, _ = _section(text.partition(f"{MISSED}\n")[2])
    return {name: told.strip() for name, told in re.findall(r"^### (.+)\n((?:(?!### ).*\n?)*)", own, re.MULTILINE)}
