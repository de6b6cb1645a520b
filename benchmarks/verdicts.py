"""Whether the targets were reached."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from benchmarks.samples import Cell, Figure, Samples, figure
from benchmarks.targets import ANY, TARGETS, Target


class Verdict(StrEnum):
    """What became of a target."""

    REACHED = "reached"
    MISSED = "missed"
    NOT_MEASURED = "not measured"


@dataclass(frozen=True, slots=True)
class Judged:
    """A target, and what was measured, if anything was."""

    target: Target
    figure: Figure | None

    @property
    def verdict(self) -> Verdict:
        """Whether it was reached: nothing is that was not measured."""
        if self.figure is None:
            return Verdict.NOT_MEASURED
        value = self.figure.most if self.target.worst else self.figure.median
        too_low = self.target.least is not None and value < self.target.least
        too_high = self.target.most is not None and value > self.target.most
        return Verdict.MISSED if too_low or too_high else Verdict.REACHED


def judge(samples: Samples, targets: Iterable[Target] = TARGETS) -> list[Judged]:
    """Hold what was measured against each target."""
    return [Judged(each, _measured(samples, each)) for each in targets]


def missed(judged: Iterable[Judged]) -> list[str]:
    """Return the names of the targets that were missed."""
    return [each.target.name for each in judged if each.verdict is Verdict.MISSED]


def _measured(samples: Samples, target: Target) -> Figure | None:
    if target.under:
        return samples.ratio(target.over, *target.under)
    values = [each.value for each in samples.values if _is_in(target.over, each.cell)]
    return figure(values) if values else None


def _is_in(wanted: Cell, cell: Cell) -> bool:
    return cell == (wanted._replace(case=cell.case) if wanted.case == ANY else wanted)
