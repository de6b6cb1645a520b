"""Stories: the events of a call, and what its record, its details and its problems are.

The expected values are worked out by hand from docs/record.md, never by running the code.
"""

import random
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import permutations
from typing import Any

import orjson

from shared.contract.decode_event import Event, decode
from shared.fold.call_details import call_details
from shared.fold.fold import fold
from tests.support.events.makers import STARTED, Json, book, event, raw

LONG_AFTERWARDS = STARTED + 3_650 * 86_400_000
"""The arrival of an event whose clock is not in question, Unix milliseconds."""
_MOST_PERMUTED = 6
_SHUFFLES = 50


@dataclass(frozen=True)
class Story:
    """A call: `name` is a sentence, a key of `expected` a path in the record (`call_cost.combined_cost`).

    `problems` counts by kind. `details` gives only the lists that the story is about. `arrivals` gives the arrival of
    single events by their id, in Unix milliseconds; the others arrive long afterwards.
    """

    name: str
    events: Sequence[Json]
    expected: Json
    problems: Mapping[str, int] = field(default_factory=dict)
    details: Json = field(default_factory=dict)
    arrivals: Mapping[str, int] = field(default_factory=dict)
    call: str | None = None

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True)
class Outcome:
    """What became of a story: its record where the story states it, its problems and its details."""

    record: Json
    problems: Mapping[str, int]
    details: Json


def moment(seconds: float) -> int:
    """Return the Unix milliseconds of so many seconds after the call was answered."""
    return STARTED + round(seconds * 1000)


def carrier(kind: str, seconds: float, /, **data: Any) -> Json:
    return event(kind, at=moment(seconds), **{"source": "/carrier"} | data)


def agent(kind: str, seconds: float, /, **data: Any) -> Json:
    return event(kind, at=moment(seconds), **{"source": "/agent"} | data)


def turn(seconds: float, content: str = "Yes.", /, **data: Any) -> Json:
    return agent("transcript.turn", seconds, **{"content": content, "role": "user"} | data)


def ending(seconds: float, reason: str, /, **data: Any) -> Json:
    return carrier("call.ended", seconds, disconnection_reason=reason, **data)


def idle_end(seconds: float) -> Json:
    """Return the end that is inferred for an idle call."""
    return ending(seconds, "inactivity", source="/callfold/closer", inferred=True)


def ended(reason: str, *, end: float, seconds: float, cost: float, status: str = "ENDED") -> Json:
    """Return what the record of an ended call has; `end` in seconds after the answer, `cost` of the whole call."""
    return {
        "call_status": status,
        "disconnection_reason": reason,
        "end_timestamp": moment(end),
        "call_duration": seconds,
        "call_cost.combined_cost": cost,
    }


def ongoing(cost: float) -> Json:
    """Return what the record has while the call goes on."""
    return {
        "call_status": "ONGOING",
        "disconnection_reason": None,
        "end_timestamp": None,
        "call_duration": None,
        "call_cost.combined_cost": cost,
    }


def leg(name: str, started: float | None, over: float | None = None, reason: str | None = None, **other: Any) -> Json:
    """Return a leg of the details; `started` and `over` in seconds after the call was answered."""
    timed = started is not None and over is not None
    return {
        "leg_id": name,
        "started_at": None if started is None else moment(started),
        "ended_at": None if over is None else moment(over),
        "disconnection_reason": reason,
        "duration": (over or 0) - (started or 0) if timed else None,
        "from_number": None,
        "to_number": None,
        "answered_by": None,
    } | other


def outcome_in_every_order(story: Story) -> Outcome:
    """Fold a story in every order and doubled; all must agree. Return the outcome."""
    events = read_events(story)
    first = fold(events, book())
    for order in orders(events):
        again = fold(order, book())
        assert (again.record, again.problems) == (first.record, first.problems), [each.identity for each in order]
    record = orjson.loads(orjson.dumps(first.record))
    details = orjson.loads(orjson.dumps(call_details(events, book())))
    assert Counter(problem["kind"] for problem in details["problems"]) == Counter(first.problems)
    return Outcome(picked(record, story.expected), dict(first.problems), {key: details[key] for key in story.details})


def wanted(story: Story) -> Outcome:
    return Outcome(story.expected, dict(story.problems), story.details)


def read_events(story: Story) -> list[Event]:
    """Read the events as they arrive."""
    return [_arrived(body, story.arrivals.get(body["id"], LONG_AFTERWARDS)) for body in story.events]


def _arrived(body: Json, arrival: int) -> Event:
    read = decode(raw(body), arrival=arrival)
    assert isinstance(read, Event), f"{read}: {body}"
    return read


def orders(events: Sequence[Event]) -> Iterator[Sequence[Event]]:
    """Return all orders of at most six events, of more fifty; and everything doubled, in two orders."""
    if len(events) <= _MOST_PERMUTED:
        yield from permutations(events)
    else:
        for seed in range(_SHUFFLES):
            yield shuffled(events, seed)
    yield [*events, *events]
    yield shuffled([*events, *events], seed=_SHUFFLES)


def shuffled(events: Iterable[Any], seed: int) -> list[Any]:
    found = list(events)
    random.Random(seed).shuffle(found)
    return found


def picked(record: Json, paths: Iterable[str]) -> Json:
    """Return the values at paths like `call_cost.combined_cost`."""
    return {path: _value(record, path.split(".")) for path in paths}


def _value(found: Any, path: Sequence[str]) -> Any:
    for key in path:
        if not isinstance(found, dict) or key not in found:
            return f"no {key} here"
        found = found[key]
    return found
