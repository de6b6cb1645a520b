"""The report of a run, as a table and as JSON."""

import statistics
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, NamedTuple

from rich import box
from rich.table import Table

from tests.faults.alerts.explained import Alert, Happened, without_cause
from tests.faults.harness.verdict import Verdict
from tests.faults.harness.workers import Crew
from tests.faults.load.probe import Probe, Unread
from tests.faults.load.workload import Sent


class Poison(NamedTuple):
    """An invalid record's value, and the reason why it is invalid."""

    value: bytes
    reason: str


@dataclass(slots=True)
class Report:
    """Numbers of one run; times in seconds."""

    seed: int
    seconds: float
    took: float = 0.0
    calls: int = 0
    events: int = 0
    """Distinct accepted events."""
    records: int = 0
    """Accepted records: events, copies of them, and invalid records."""
    sent_again: int = 0
    poison: dict[bytes, Poison] = field(default_factory=dict)
    """The invalid records by their keys."""
    dead_letters: int = 0
    redelivered: float = 0.0
    """Share of the log that is redelivered. Offset ranges that are the same after redelivery are not counted."""
    unread: list[Unread] = field(default_factory=list)
    full_batches: Counter[int] = field(default_factory=Counter)
    """Batches that reached their limit, by the limit: at least so many."""
    left_to_the_sweep: int = 0
    """Documents with private content, left by a worker that died during a batch. The sweep redacts them."""
    faults: Counter[str] = field(default_factory=Counter)
    happened: list[Happened] = field(default_factory=list)
    """When each fault was there."""
    alerts: Counter[str] | None = None
    """Alerts that fired, of those that page somebody; None where nothing watched."""
    ends: Counter[str] = field(default_factory=Counter)
    verdict: Verdict = field(default_factory=Verdict)

    def record(self, accepted: Sequence[Sent], sent_again: int, probe: Probe) -> None:
        self.records, self.sent_again = len(accepted), sent_again
        self.poison = {
            record.message["key"]: Poison(record.message["value"], record.reason)
            for record in accepted
            if record.reason is not None
        }
        self.faults.update(record.odd for record in accepted if record.odd is not None)
        self.unread = probe.unread
        self.verdict.lost += probe.unseen

    def record_alerts(self, fired: Sequence[Alert]) -> None:
        self.alerts = Counter(alert.name for alert in fired)
        self.verdict.alerts_without_cause = [str(alert) for alert in without_cause(fired, self.happened)]

    def record_ends(self, crew: Crew) -> None:
        self.ends, self.verdict.hung, self.verdict.failed = crew.ends, crew.hung, crew.failed
        self.full_batches = crew.full_batches()

    def rows(self) -> Iterator[tuple[str, str]]:
        verdict = self.verdict
        yield "events (distinct)", f"{self.events}, of {self.calls} calls"
        yield "records accepted", f"{self.records}, {self.sent_again} sent again"
        yield "invalid records", f"{len(self.poison)}, {self.dead_letters} dead letters"
        yield "lost", str(verdict.lost)
        yield "duplicated", str(verdict.duplicated)
        yield "records that differ", _listed(verdict.differing)
        yield "documents with private content", str(verdict.private_left)
        yield "answers, headers and logs with private content", _listed(verdict.private_shown)
        yield "private content that the sweep redacted", str(self.left_to_the_sweep)
        yield "records not committed", str(verdict.uncommitted)
        yield "invalid records without dead letter", str(verdict.poison_missing)
        yield "dead letters with another value or reason", str(verdict.poison_changed)
        yield "redelivered, at least", f"{self.redelivered:.2%}"
        yield "batches that reached their limit, at least", _by_limit(self.full_batches)
        yield "longest time until readable", _longest(self.unread)
        yield "ends of workers", _counted(self.ends)
        yield "processes hung", str(verdict.hung)
        yield "processes failed", str(verdict.failed)
        if self.alerts is not None:
            yield "alerts that fired", _counted(self.alerts)
            yield "alerts without cause", _listed(verdict.alerts_without_cause)
        yield "faults that did not happen", _listed(verdict.missed)
        yield "took", f"{self.took:.0f} s"

    def table(self) -> Table:
        result = "correct" if self.verdict.good else "WRONG"
        title = f"Seed {self.seed}, {self.seconds:.0f} s of faults: {result}"
        table = Table(title=title, box=box.SIMPLE, show_header=False, title_justify="left")
        for name, value in self.rows():
            table.add_row(name, value)
        table.add_section()
        for kind, number in sorted(self.faults.items()):
            table.add_row(kind, str(number))
        return table

    def as_json(self) -> dict[str, Any]:
        return {
            **{name: getattr(self, name) for name in ("seed", "seconds", "took", "calls", "events", "records")},
            "poison": len(self.poison),
            "dead_letters": self.dead_letters,
            "redelivered": self.redelivered,
            "longest_unread": max((each.seconds for each in self.unread), default=None),
            "full_batches": {str(limit): number for limit, number in self.full_batches.items()},
            "faults": self.faults,
            "alerts": self.alerts,
            "ends": self.ends,
            **asdict(self.verdict),
            "good": self.verdict.good,
        }


def _listed(names: Sequence[str]) -> str:
    return ", ".join([str(len(names)), *names[:5]])


def _counted(counts: Counter[str]) -> str:
    return ", ".join(f"{name}: {number}" for name, number in sorted(counts.items())) or "0"


def _by_limit(counts: Counter[int]) -> str:
    return ", ".join(f"{number} of {limit}" for limit, number in sorted(counts.items()) if number) or "0"


def _longest(unread: Sequence[Unread]) -> str:
    if not unread:
        return "-"
    median, longest = statistics.median(each.seconds for each in unread), max(unread)
    return f"{longest.seconds:.1f} s, accepted at {longest.accepted:.1f} s (median {median:.1f} s)"
