"""The problems of a call: what its events contradict or leave unknown (docs/record.md, Problems)."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from shared.contract.decode_event import Event
from shared.contract.problems import Problem, ProblemKind

MOST_LISTED = 100
"""How many problems the details list; `problem_count` counts all."""

_PLACES = {kind: place for place, kind in enumerate(ProblemKind)}


class CallProblem(NamedTuple):
    """A problem, and the event that it comes from, None for one of the call as a whole.

    `detail` is a sentence for the publisher's engineer that quotes nothing private.
    """

    kind: ProblemKind
    event: Event | None
    field: str | None
    detail: str


def of_reading(events: Iterable[Event]) -> list[CallProblem]:
    """Return the problems that the events' own reading found."""
    return [CallProblem(kind, event, field, detail) for event in events for kind, field, detail in event.problems]


def in_order(problems: Iterable[CallProblem], events: Iterable[Event]) -> list[CallProblem]:
    """Return the problems by event; of one event by the kind's place in the closed set, then by field and type.

    `events` are those that count, in order: a body that lost has the place of the one that counts instead of it.
    Problems that name no event come last.
    """
    places = {event.identity: place for place, event in enumerate(events)}

    def place(problem: CallProblem) -> tuple[int, int, str, str]:
        event = problem.event
        if event is None:
            return (len(places), _PLACES[problem.kind], problem.field or "", "")
        return (places[event.identity], _PLACES[problem.kind], problem.field or "", event.type)

    return sorted(problems, key=place)


def counts(problems: Iterable[CallProblem]) -> Mapping[str, int]:
    """Return how many problems there are of each kind; kinds without any are absent."""
    return Counter(problem.kind.value for problem in problems)


def union(copies: Iterable[Event]) -> tuple[Problem, ...]:
    """Return the problems of all copies of one body, one per kind and field."""
    found: dict[tuple[ProblemKind, str | None], Problem] = {}
    for event in copies:
        for problem in event.problems:
            other = found.setdefault((problem.kind, problem.field), problem)
            found[problem.kind, problem.field] = min(problem, other, key=lambda each: each.detail)
    return tuple(found[key] for key in sorted(found, key=lambda key: (_PLACES[key[0]], key[1] or "")))
