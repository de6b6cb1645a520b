"""The targets as data, why some are not reached, and the verdicts on what was measured."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from benchmarks.parts.against import OURS, Against, by_its_own, case, theirs
from benchmarks.samples import Cell, Figure, Samples

ANY = "*"
"""In place of a case: the values of all cases together."""

BEFORE = "35b6f47"
"""The commit that the part `against` is recorded for: `make bench AGAINST=35b6f47`."""

_CONNECT, _STREAMS = "Kafka Connect, insert", "Kafka Streams"
_ONE, _TWO = "callfold, one worker", "callfold, two workers"
_FINAL = "final 25 KB, 16 connections"
_LIVE = "live, 3,000 events, 1 connection"


class Gap(NamedTuple):
    """Why targets are not reached, and what was tried."""

    why: str
    tried: str


RATE_OF_CONNECT = Gap(
    "Both cores are full. An event is validated, parsed again, folded and written again in its call's record; Kafka "
    "Connect copies the bare event. The servers need their share of the same two cores.",
    "Smaller stored forms, events that are decoded once with care, larger fetches and batches. More workers and "
    "partitions bring nothing on two cores (part `scale`).",
)
CPU_OF_CONNECT = Gap(
    "Decoding, validating and folding in Python is most of it; the servers' share is small: some twenty events are one "
    "document of the log.",
    "The same.",
)
RATE_OF_STREAMS = Gap(
    "Both cores are full in both. Kafka Streams does not validate, and keeps no log.",
    "Smaller stored forms, events that are decoded once with care, larger fetches and batches. Four further pairs had "
    "1.90 to 2.23, three of them above 2. A short call costs some ten operations of MongoDB, a long one hardly more.",
)
CPU_OF_BEFORE = Gap(
    "By the same, optimized Python the gain is that of the code alone. Validation and the fold itself are still to be "
    "done for each event; no part of either stands out in the profile.",
    "Every step of ingest and fold was profiled; a compiled core gains x0.82 of a worker's CPU "
    "([decision 26](decisions/0026-no-compiled-core.md)).",
)
FRESHNESS = Gap(
    "Kafka Connect's event is readable once it is inserted, by `find_one`. Callfold's is readable in the folded call, "
    "over HTTP with a key: this adds the pause between two fetches, the batch, three queries and a fold. Batches wait "
    "for other calls' folds and writes; at the highest rate both cores are full.",
    "Removed: long pauses of the garbage collector, and two timers in how events are taken; a batch is fetched and "
    "decoded while the one before is written. With a pause between fetches of 4 ms instead of 10, no difference showed "
    "above the noise at 500 events/s (three runs of each): the time is spent waiting for a core, and for the journal.",
)
FINAL_READER = Gap(
    "A request passes FastAPI, authentication, limits and metrics, which take most of a core; the query is a tenth.",
    "One query for all concurrent requests, the stored frame passed on to readers of zstd. The commit before this "
    "round had about the same ratio in runs in turns: 1.04 to 1.22, this one 0.86 to 1.64.",
)
FIRST_READER = Gap(
    "This is the first read of a call: nothing is cached. Folding and rendering a large record come on top of reading "
    "and parsing its log.",
    "A cache: later reads cost a fraction while nothing has changed, and about half after new events (part `read`, "
    "[decision 15](decisions/0015-readers-share.md)).",
)


@dataclass(frozen=True, slots=True)
class Target:
    """A cell, or its ratio to the cells `under`, must be `least` or `most` so much, and had better be `goal`.

    `worst`: the worst of all rounds counts, not their median.
    """

    name: str
    unit: str
    over: Cell
    under: tuple[Cell, ...] = ()
    least: float | None = None
    most: float | None = None
    goal: float | None = None
    worst: bool = False
    gap: Gap | None = None

    @property
    def asked(self) -> str:
        return f"at most {self.most:g}" if self.least is None else f"at least {self.least:g}"


def _rate(of: str, subject: str, peer: str, *, least: float, goal: float, gap: Gap | None = None) -> Target:
    over, under = (Cell("ingest", of, each, "events_per_second") for each in (subject, peer))
    name = f"Events/s, {of}, {subject.removeprefix('callfold, ')}, over {peer}"
    return Target(name, "times", over, (under,), least=least, goal=goal, gap=gap)


def _ingest(of: str) -> tuple[Target, ...]:
    own, peer = (Cell("ingest", of, each, "cpu_us_per_event_with_servers") for each in (_TWO, _CONNECT))
    cpu = f"CPU per event with the servers', {of}, two workers, over {_CONNECT}"
    return (
        _rate(of, _TWO, _STREAMS, least=2, goal=3, gap=RATE_OF_STREAMS),
        _rate(of, _TWO, _CONNECT, least=2, goal=3, gap=RATE_OF_CONNECT),
        _rate(of, _ONE, _CONNECT, least=1.6, goal=2, gap=RATE_OF_CONNECT),
        Target(cpu, "times", own, (peer,), most=0.45, goal=0.35, gap=CPU_OF_CONNECT),
    )


def _against(workers: int) -> tuple[Target, ...]:
    def over(what: str, measure: str, most: float, goal: float, before: str) -> Target:
        own, other = (Cell(Against.NAME, case(workers), each, measure) for each in (OURS, before))
        name = f"{what}, {case(workers)}, over {before}"
        return Target(name, "times", own, (other,), most=most, goal=goal, gap=CPU_OF_BEFORE)

    cpu = ("CPU per event with the servers'", "cpu_us_per_event_with_servers", 0.6, 0.5)
    return (
        over(*cpu, before=theirs(BEFORE)),
        over(*cpu, before=by_its_own(BEFORE)),
        over("Bytes written by MongoDB per event", "mongod_bytes_per_event", 0.55, 0.45, theirs(BEFORE)),
    )


def _fresh(rate: str, most: float) -> Target:
    over, under = (Cell("fresh", rate, subject, "p99_ms") for subject in ("callfold", _CONNECT))
    name = f"Produced to readable, p99 at {rate}, over {_CONNECT}"
    return Target(name, "times", over, (under,), most=most, goal=1, gap=FRESHNESS)


def _read(peer: str) -> Cell:
    return Cell("read", _FINAL, peer, "requests_per_second")


def _long(events: str) -> Cell:
    return Cell("long", f"{events} events", "callfold", "cpu_us_per_event")


def _ahead(measure: str) -> Cell:
    return Cell("ingest", "telephony far ahead", _ONE, measure)


TARGETS: tuple[Target, ...] = (
    *_ingest("100 events a call"),
    *_ingest("700 events a call"),
    *_against(1),
    *_against(2),
    _fresh("500 events/s", 1.5),
    _fresh("2,000 events/s", 1.8),
    _fresh("5,000 events/s", 2),
    Target(
        f"p50, {_LIVE}, over reading and parsing its log",
        "times",
        Cell("read", _LIVE, "callfold", "p50_ms"),
        (Cell("read", _LIVE, "log read and parsed alone", "p50_ms"),),
        most=4,
        goal=2.5,
        gap=FIRST_READER,
    ),
    Target(f"Requests/s, {_FINAL}, over the tutorial", "times", _read("callfold"), (_read("tutorial"),), least=2.5),
    # The times of the two are added: one answer found by the driver and sent by FastAPI.
    Target(
        f"Requests/s, {_FINAL}, over driver and empty FastAPI answer",
        "times",
        _read("callfold"),
        (_read("find_one alone"), _read("FastAPI, empty answer")),
        least=1.7,
        goal=2,
        gap=FINAL_READER,
    ),
    Target("Memory of the worker", "MB", Cell("ingest", ANY, _ONE, "peak_mb"), most=300, goal=250, worst=True),
    Target("Memory of the API", "MB", Cell("read", ANY, "callfold", "peak_mb"), most=150, worst=True),
    Target("Folds per call, telephony far ahead", "folds", _ahead("folds_per_call"), most=1.2),
    Target("Incomplete final records, telephony far ahead", "records", _ahead("final_too_early"), most=0, worst=True),
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
