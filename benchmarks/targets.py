"""The targets as data, why some are not reached, and the verdicts on what was measured."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from benchmarks.samples import Cell, Figure, Samples

ANY = "*"
"""In place of a case: the values of all cases together."""

_CONNECT = "Kafka Connect, insert"
_ONE, _TWO = "callfold, one worker", "callfold, two workers"
_FINAL = "final 25 KB, 16 connections"
_LIVE = "live, 3,000 events, 1 connection"


class Gap(NamedTuple):
    """Why targets are not reached, and what was tried."""

    why: str
    tried: str


RATE_OF_CONNECT = Gap(
    "One worker is one Python process on one core. For each event it decodes twice, validates and folds; Kafka Connect "
    "copies the bare event, with both cores.",
    "Cheaper decoding, which gained most; larger groups and rounds, three batches at once, uvloop, msgspec "
    "([decision 14](decisions/0014-an-event-is-read-twice-and-cheaply.md)). A second worker gains more than folding in "
    "a second process would.",
)
RATE_OF_QUIX = Gap(
    "Quix Streams stores the bare event without validation, and leaves both cores partly idle. Four times its rate "
    "needs more CPU than the servers leave of two cores.",
    "The same.",
)
RATE_OF_FAUST = Gap(
    "The tutorial waits for MongoDB at each event, with `w: 1`. This machine answers a single write twice as fast as "
    "the one on which the target was set.",
    "The same.",
)
TWO_WORKERS = Gap(
    "Both cores are full: an event costs two workers as much as one, and the servers need the rest.",
    "Four workers and 48 partitions: no gain on two cores (part `scale`).",
)
CPU = Gap(
    "Decoding twice, validating and folding in Python takes about the CPU that Java takes to copy the event. With the "
    "servers' CPU included Callfold takes less: it writes about ten events as one document.",
    "Cheaper decoding, fewer objects, fields of the record made BSON right after the fold (decision 14).",
)
FRESHNESS = Gap(
    "Kafka Connect's event is readable once it is inserted, by `find_one`. Callfold's is readable in the folded call, "
    "over HTTP with a key: this adds the pause between two fetches, the batch, three queries and a fold. Batches wait "
    "for other calls' folds and writes; at the highest rate both cores are full.",
    "Removed: long pauses of the garbage collector, and two timers in how events are taken. A shorter pause "
    "between fetches costs CPU ([decision 6](decisions/0006-faust-with-chunks.md)).",
)
FIRST_READER = Gap(
    "This is the first read of a call: nothing is cached. Decoding with validation alone takes what the target allows "
    "for everything; without validation the record would depend on what wrote the log. Folding and rendering a large "
    "record come on top.",
    "A cache: later reads cost a fraction while nothing has changed, and about half after new events (part `read`, "
    "[decision 15](decisions/0015-readers-share.md)).",
)


@dataclass(frozen=True, slots=True)
class Target:
    """A cell, or its ratio to the cells `under`, must be `least` or `most` so much.

    `worst`: the worst of all rounds counts, not their median.
    """

    name: str
    unit: str
    over: Cell
    under: tuple[Cell, ...] = ()
    least: float | None = None
    most: float | None = None
    worst: bool = False
    gap: Gap | None = None

    @property
    def asked(self) -> str:
        return f"at most {self.most:g}" if self.least is None else f"at least {self.least:g}"


def _rate(case: str, subject: str, peer: str, least: float, gap: Gap, *, goal: str = "") -> Target:
    over, under = (Cell("ingest", case, each, "events_per_second") for each in (subject, peer))
    name = f"Events/s, {case}, {subject.removeprefix('callfold, ')}, over {peer}{goal}"
    return Target(name, "times", over, (under,), least=least, gap=gap)


def _ingest(case: str) -> tuple[Target, ...]:
    own, peer = (Cell("ingest", case, subject, "cpu_us_per_event") for subject in (_ONE, _CONNECT))
    return (
        _rate(case, _ONE, _CONNECT, 2.5, RATE_OF_CONNECT),
        _rate(case, _ONE, "Quix Streams", 4, RATE_OF_QUIX),
        _rate(case, _ONE, "Faust, tutorial", 40, RATE_OF_FAUST),
        _rate(case, _TWO, _CONNECT, 3, TWO_WORKERS, goal=" (goal: 5)"),
        Target(f"CPU per event, {case}, over {_CONNECT}", "times", own, (peer,), most=1, gap=CPU),
    )


def _fresh(rate: str) -> Target:
    over, under = (Cell("fresh", rate, subject, "p99_ms") for subject in ("callfold", _CONNECT))
    name = f"Produced to readable, p99 at {rate}, over {_CONNECT}"
    return Target(name, "times", over, (under,), most=1, gap=FRESHNESS)


def _fresh_ms(rate: str, most: float) -> Target:
    return Target(f"Produced to readable, p99 at {rate}", "ms", Cell("fresh", rate, "callfold", "p99_ms"), most=most)


def _read(peer: str) -> Cell:
    return Cell("read", _FINAL, peer, "requests_per_second")


def _long(events: str) -> Cell:
    return Cell("long", f"{events} events", "callfold", "cpu_us_per_event")


def _ahead(measure: str) -> Cell:
    return Cell("ingest", "telephony far ahead", _ONE, measure)


TARGETS: tuple[Target, ...] = (
    *_ingest("100 events a call"),
    *_ingest("700 events a call"),
    Target("Folds per call, telephony far ahead", "folds", _ahead("folds_per_call"), most=1.2),
    Target("Incomplete final records, telephony far ahead", "records", _ahead("final_too_early"), most=0, worst=True),
    Target("Memory of the worker", "MB", Cell("ingest", ANY, _ONE, "peak_mb"), most=300, worst=True),
    *map(_fresh, ("500 events/s", "2,000 events/s", "5,000 events/s")),
    _fresh_ms("2,000 events/s", 100),
    _fresh_ms("5,000 events/s", 250),
    Target(f"Requests/s, {_FINAL}, over the tutorial", "times", _read("callfold"), (_read("tutorial"),), least=2.5),
    # The times of the two are added: one answer found by the driver and sent by FastAPI.
    Target(
        f"Requests/s, {_FINAL}, over driver and empty FastAPI answer",
        "times",
        _read("callfold"),
        (_read("find_one alone"), _read("FastAPI, empty answer")),
        least=0.8,
    ),
    Target(
        f"p50, {_LIVE}, over reading and parsing its log",
        "times",
        Cell("read", _LIVE, "callfold", "p50_ms"),
        (Cell("read", _LIVE, "log read and parsed alone", "p50_ms"),),
        most=1.5,
        gap=FIRST_READER,
    ),
    Target("Memory of the API", "MB", Cell("read", ANY, "callfold", "peak_mb"), most=150, worst=True),
    Target(
        "CPU per event, call of 50,000 events over call of 100", "times", _long("50,000"), (_long("100"),), most=1.25
    ),
)


class Verdict(StrEnum):
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
        if self.figure is None:
            return Verdict.NOT_MEASURED
        value = self.figure.most if self.target.worst else self.figure.median
        too_low = self.target.least is not None and value < self.target.least
        too_high = self.target.most is not None and value > self.target.most
        return Verdict.MISSED if too_low or too_high else Verdict.REACHED


def judge(samples: Samples, targets: Iterable[Target] = TARGETS) -> list[Judged]:
    return [Judged(each, _measured(samples, each)) for each in targets]


def _measured(samples: Samples, target: Target) -> Figure | None:
    if target.under:
        return samples.ratio(target.over, *target.under)
    over = target.over
    values = [
        each.value
        for each in samples.values
        if each.cell == (over._replace(case=each.case) if over.case == ANY else over)
    ]
    return Figure.of(values) if values else None
