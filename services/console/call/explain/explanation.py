"""Where a value of the record comes from: the events behind it, those that competed, and the rule."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from services.console.call.ends import difference
from services.console.call.explain.fields import Field
from services.console.call.explain.sufficient import Found, smallest
from services.console.call.names import anchor
from shared.calls.read_events import LoggedCall, LoggedEvent
from shared.contract.decode_event import Event
from shared.fold.call import Call, NoEvents, call_of
from shared.fold.fold import fold
from shared.fold.prices import PriceBook
from shared.fold.standing import Standing

EFFORT = 40_000
"""Events that may be folded for one explanation; a fold of a thousand takes some 10 ms."""

MOST_LISTED = 20
_DISTINCT = (Standing.COUNTS, Standing.SUPERSEDED)


@dataclass(frozen=True, slots=True)
class Other:
    """An event that states the value and is not behind it, and why."""

    event: LoggedEvent
    why: str


@dataclass(frozen=True, slots=True)
class Explanation:
    """The events behind a value: they alone give it. `minimal`: and none of them can be left out.

    At most `MOST_LISTED` of each list are kept; the counts are of all.
    """

    value: Any
    behind: Sequence[LoggedEvent]
    behind_count: int
    minimal: bool
    others: Sequence[Other]
    other_count: int


def explain(logged: LoggedCall, field: Field, book: PriceBook, effort: int = EFFORT) -> Explanation:
    """Return where a value comes from.

    Raises:
        NoEvents: the call has no valid event.
    """
    counting = [each for each in logged.events if isinstance(each.event, Event) and each.standing in _DISTINCT]
    call = call_of([_event(each) for each in counting], book, opted_out=logged.opted_out)
    found = behind(logged, call, field, book, effort)
    others = list(_others(logged, found.left, field, call))
    value = _Fold(field, book, logged).of(counting)
    return Explanation(
        value, found.left[:MOST_LISTED], len(found.left), found.minimal, others[:MOST_LISTED], len(others)
    )


def explain_part(logged: LoggedCall, name: str, book: PriceBook) -> Explanation | None:
    """Return the events of a part of the page, such as a turn and its revisions; None if there is no such part.

    Raises:
        NoEvents: the call has no valid event.
    """
    valid = [each for each in logged.events if isinstance(each.event, Event) and each.standing is not Standing.COPY]
    call = call_of([_event(each) for each in valid if each.standing in _DISTINCT], book, opted_out=logged.opted_out)
    names = {name, *_results_of(name, call)}
    of_part = [each for each in valid if anchor(_event(each)) in names]
    chosen = [each for each in of_part if each.standing is Standing.COUNTS]
    latest = _event(chosen[-1]) if chosen else None
    others = [Other(each, _why(each, latest, call)) for each in of_part if each.standing is not Standing.COUNTS]
    if not of_part:
        return None
    return Explanation(None, chosen[:MOST_LISTED], len(chosen), True, others[:MOST_LISTED], len(others))


def _results_of(name: str, call: Call) -> Iterator[str]:
    tools = call.tools
    for called in tools.called if tools else ():
        if tools and anchor(called.event) == name and (result := tools.results.get(called.ordering_key)):
            yield anchor(result.event)


def behind(logged: LoggedCall, call: Call, field: Field, book: PriceBook, effort: int = EFFORT) -> Found[LoggedEvent]:
    """Return the events that alone give the value, in order."""
    opting_out = not field.types
    wanted = (Standing.LOST, *_DISTINCT) if opting_out else _DISTINCT
    every = [each for each in logged.events if isinstance(each.event, Event) and each.standing in wanted]
    fold = _Fold(field, book, logged)
    value = fold.of(every)

    def holds(events: Sequence[LoggedEvent]) -> bool:
        return bool(fold.of(events) == value)

    for types in field.types:
        some = [each for each in every if _event(each).type in types]
        if holds(some):
            every = some
            break
    found = smallest(sorted(every, key=lambda each: _protected(_event(each), call)), holds, effort)
    return Found(sorted(found.left, key=lambda each: _event(each).ordering_key), found.minimal)


@dataclass(frozen=True, slots=True)
class _Fold:
    """Finds the value in the record of some of the events."""

    field: Field
    book: PriceBook
    logged: LoggedCall

    def of(self, events: Sequence[LoggedEvent]) -> Any:
        if not self.field.types:  # whether it has opted out: what is redacted folds only where it has
            return any(_event(each).opts_out for each in events) or None
        try:
            record = fold((_event(each) for each in events), self.book, opted_out=self.logged.opted_out).record
        except NoEvents:
            return None
        return self.field.value(record)


def _event(logged: LoggedEvent) -> Event:
    assert isinstance(logged.event, Event)  # noqa: S101 - invalid ones were left out
    return logged.event


def _protected(event: Event, call: Call) -> tuple[bool, bool, object]:
    """Return by what events are sorted: those come last, and so are left out last, that the fold itself chose."""
    final = call.ends.final
    is_final = final is not None and event.identity == final.event.identity
    starts = call.session is not None and event.type == "call.started" and event.time <= call.session.start
    return is_final, starts, event.ordering_key


def _others(logged: LoggedCall, chosen: Sequence[LoggedEvent], field: Field, call: Call) -> Iterator[Other]:
    identities, taken = {_event(each).identity for each in chosen}, set(map(id, chosen))
    latest = max((_event(each) for each in chosen), key=lambda event: event.ordering_key, default=None)
    for each in logged.events:
        if not isinstance(each.event, Event) or id(each) in taken or each.standing is Standing.COPY:
            continue
        if field.states(each.event) or (each.standing is Standing.LOST and each.event.identity in identities):
            yield Other(each, _why(each, latest, call))


def _why(other: LoggedEvent, chosen: Event | None, call: Call) -> str:
    """Return why an event that states the value is not behind it."""
    event = _event(other)
    if other.standing is Standing.LOST:
        return "Another body with the same source and id counts: its canonical form compares lower."
    if other.standing is Standing.SUPERSEDED:
        return "A later event with the same id within its source takes its place."
    for reason in _OF_ENDS:
        if (text := reason(event, call)) is not None:
            return text
    if chosen is not None and "leg_id" in event.data and "leg_id" not in chosen.data:
        return f"It speaks of the leg {event.data['leg_id']}: what is said of the call comes first."
    if chosen is not None and event.ordering_key < chosen.ordering_key:
        return "It is earlier in the order (time, sequence, source, id): the later one counts."
    return "The value is the same without it."


def _undone(event: Event, call: Call) -> str | None:
    if event.ordering_key in call.ends.undone:
        return "This end is undone: a later call.started of its source shows that the call went on."
    return None


def _overruled(event: Event, call: Call) -> str | None:
    if event.ordering_key in call.ends.overruled:
        return "This end is overruled: a later one counts, because the call went on in between."
    return None


def _of_a_leg(event: Event, call: Call) -> str | None:
    if event.type not in ("call.ended", "call.failed"):
        return None
    final = call.ends.final
    counting = next((end for end in call.ends.left if end.event.ordering_key == event.ordering_key), None)
    if counting is not None and final is not None and counting is not final:
        return f"It counts as an end too, but the final end comes before it: {difference(final, counting)}."
    return "This end does not count: it is of one leg, or inferred where a real one came."


_OF_ENDS: Sequence[Callable[[Event, Call], str | None]] = (_undone, _overruled, _of_a_leg)
