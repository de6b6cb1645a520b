"""What is to be reached, as data."""

from dataclasses import dataclass

from benchmarks.samples import Cell

ANY = "*"
"""In place of a case: the values of all cases together."""

_CONNECT = "Kafka Connect, insert"
_ONE, _TWO = "callfold, one worker", "callfold, two workers"
_BACKLOGS = ("100 events a call", "700 events a call")
_RATES = ("500 events/s", "2,000 events/s", "5,000 events/s")
_FINAL = "final 25 KB, 16 connections"
_LIVE = "live, 3,000 events, 1 connection"


@dataclass(frozen=True, slots=True)
class Target:
    """One figure to reach: a cell, or its ratio to the cells `under`, at `least` or at `most` so much.

    `name` heads the paragraph that a missed one needs; `of` says what it is measured beside, or its unit.
    `worst`: the most of all rounds counts, not their median. `headline`: it stands in the README.
    """

    name: str
    of: str
    over: Cell
    under: tuple[Cell, ...] = ()
    least: float | None = None
    most: float | None = None
    worst: bool = False
    headline: bool = False

    @property
    def asked(self) -> str:
        """What is asked for, in words."""
        return f"at most {self.most:g}" if self.least is None else f"at least {self.least:g}"


def _drained(case: str, subject: str, peer: str, least: float, goal: str = "") -> Target:
    over, under = (Cell("ingest", case, each, "events_per_second") for each in (subject, peer))
    number = subject.removeprefix("callfold, ")
    name = f"Events/s, {case}, {number}, over {peer}{goal}"
    return Target(name, "times", over, (under,), least=least, headline=True)


def _ingest(case: str) -> tuple[Target, ...]:
    own, peer = (Cell("ingest", case, subject, "cpu_us_per_event") for subject in (_ONE, _CONNECT))
    return (
        _drained(case, _ONE, _CONNECT, 2.5),
        _drained(case, _ONE, "Quix Streams", 4),
        _drained(case, _ONE, "Faust, tutorial", 40),
        _drained(case, _TWO, _CONNECT, 3, " (the goal is 5)"),
        Target(f"CPU per event, {case}, over {_CONNECT}", "times", own, (peer,), most=1),
    )


def _fresh(rate: str) -> Target:
    over, under = (Cell("fresh", rate, subject, "p99_ms") for subject in ("callfold", _CONNECT))
    return Target(f"Produced to readable, p99 at {rate}, over {_CONNECT}", "times", over, (under,), most=1)


def _guide(rate: str, most: float) -> Target:
    return Target(
        f"Produced to readable, p99 at {rate}, as a guide", "ms", Cell("fresh", rate, "callfold", "p99_ms"), most=most
    )


def _read(peer: str) -> Cell:
    return Cell("read", _FINAL, peer, "requests_per_second")


def _event_of(events: str) -> Cell:
    return Cell("long", f"{events} events", "callfold", "cpu_us_per_event")


TARGETS: tuple[Target, ...] = (
    *(target for case in _BACKLOGS for target in _ingest(case)),
    Target(
        "Folds per call, telephony far ahead",
        "folds",
        Cell("ingest", "telephony far ahead", _ONE, "folds_per_call"),
        most=1.2,
    ),
    Target(
        "Records final before they are whole, telephony far ahead",
        "records",
        Cell("ingest", "telephony far ahead", _ONE, "final_too_early"),
        most=0,
        worst=True,
    ),
    Target("Memory of the worker", "MB", Cell("ingest", ANY, _ONE, "peak_mb"), most=300, worst=True),
    *map(_fresh, _RATES),
    _guide("2,000 events/s", 100),
    _guide("5,000 events/s", 250),
    Target(
        f"Requests/s, {_FINAL}, over the tutorial's way",
        "times",
        _read("callfold"),
        (_read("tutorial"),),
        least=2.5,
        headline=True,
    ),
    # Their times are added, so that it is one answer found by the driver and sent by FastAPI.
    Target(
        f"Requests/s, {_FINAL}, over the bare driver and an empty FastAPI answer",
        "times",
        _read("callfold"),
        (_read("find_one alone"), _read("FastAPI, empty answer")),
        least=0.8,
        headline=True,
    ),
    Target(
        f"p50, {_LIVE}, over reading and parsing its log",
        "times",
        Cell("read", _LIVE, "callfold", "p50_ms"),
        (Cell("read", _LIVE, "log read and parsed alone", "p50_ms"),),
        most=1.5,
        headline=True,
    ),
    Target("Memory of the API", "MB", Cell("read", ANY, "callfold", "peak_mb"), most=150, worst=True),
    Target(
        "An event of a call of 50,000, over one of a call of 100",
        "times",
        _event_of("50,000"),
        (_event_of("100"),),
        most=1.25,
        headline=True,
    ),
)
