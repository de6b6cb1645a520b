"""PURE: which calls a list has, as its address states it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import get_args
from urllib.parse import urlencode

from shared.fold.record import CallStatus
from shared.store.models import CallSummary, RecentCall
from shared.store.states import WAITING, State

_HOUR = 3_600_000

STATUSES: tuple[str, ...] = get_args(CallStatus)
_ENDED = {"ENDED", "ERROR"}
AGES: Mapping[str, int] = {"hour": _HOUR, "day": 24 * _HOUR, "week": 7 * 24 * _HOUR}
"""Milliseconds since the last arrival, at most."""

STATES: Mapping[str, frozenset[State]] = {
    "live": frozenset({State.LIVE}),
    "settling": WAITING,
    "final": frozenset({State.FINAL}),
    "broken": frozenset({State.BROKEN}),
}
"""The states of a call in the store, by the finality of its record, or why it has none."""

EVERY_STATE = frozenset[State]().union(*STATES.values())

_MOST_DIGITS = 16
"""More has no arrival; BSON holds 18."""


@dataclass(frozen=True, slots=True)
class Filter:
    """What calls must be; an empty text limits nothing. The list starts after the call `after`."""

    organization: str = ""
    status: str = ""
    finality: str = ""
    age: str = ""
    problems: bool = False
    after: RecentCall | None = None

    @property
    def states(self) -> frozenset[State]:
        """The states in which a call can match: a live one has not ended, and a final one has."""
        chosen = STATES.get(self.finality, EVERY_STATE)
        if not self.status:
            return chosen
        return chosen & (WAITING | {State.FINAL if self.status in _ENDED else State.LIVE})

    @property
    def needs_walk(self) -> bool:
        """Whether no index answers it, so that calls are passed by which do not match."""
        return bool(self.status or (self.problems and self.finality))

    def includes(self, call: CallSummary) -> bool:
        if self.problems and not call.problem_count:
            return False
        return call.state in self.states and self.status in {"", call.status}

    def since(self, now: int) -> int:
        """Return the earliest last arrival, in Unix milliseconds as `now`."""
        return now - AGES[self.age] if self.age else 0

    def address(self, after: RecentCall | None = None) -> str:
        """Return the address of the page that starts after a call."""
        pairs = [*self._limits(), *_cursor(after)]
        return f"/calls?{urlencode(pairs)}" if pairs else "/calls"

    def _limits(self) -> Iterator[tuple[str, str]]:
        for name in ("organization", "status", "finality", "age"):
            if value := getattr(self, name):
                yield name, value
        if self.problems:
            yield "problems", "1"


def filter_of(sent: Mapping[str, str]) -> Filter:
    """Return the filter that a query states; a value that is none of the choices limits nothing."""
    return Filter(
        sent.get("organization", "").strip(),
        _choice(sent.get("status", ""), STATUSES),
        _choice(sent.get("finality", ""), STATES),
        _choice(sent.get("age", ""), AGES),
        problems=sent.get("problems") == "1",
        after=cursor_of(sent),
    )


def cursor_of(sent: Mapping[str, str]) -> RecentCall | None:
    """Return the call after which a page starts, None for the first page."""
    arrival, call = sent.get("arrival", ""), sent.get("after", "")
    is_moment = arrival.isascii() and arrival.isdigit() and len(arrival) <= _MOST_DIGITS
    return RecentCall(call, int(arrival)) if call and is_moment else None


def _cursor(after: RecentCall | None) -> list[tuple[str, str]]:
    return [] if after is None else [("arrival", str(after.last_arrival)), ("after", after.call)]


def _choice(value: str, choices: Mapping[str, object] | tuple[str, ...]) -> str:
    return value if value in choices else ""
