"""The distinct events of a call, sorted by ordering key."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from operator import attrgetter
from typing import Any

from shared.contract.decode_event import Event, canonical
from shared.fold.redaction import redact, without_content

_BY_ORDERING_KEY = attrgetter("ordering_key")
_IDENTITY = attrgetter("ordering_key.source", "ordering_key.id")
_OPTS_OUT = attrgetter("opts_out")
_NEVER = 2**63


@dataclass(frozen=True, slots=True)
class CallEvents:
    """The distinct events of one call, sorted by ordering key.

    `conflicts` counts the bodies that lost to another with the same identity. `opted_out` is true if any body opts out,
    even one that lost.
    """

    events: Sequence[Event]
    by_type: Mapping[str, list[Event]]
    conflicts: int
    opted_out: bool

    def of(self, *types: str) -> list[Event]:
        groups = [group for kind in types if (group := self.by_type.get(kind))]
        if len(groups) == 1:
            return groups[0]
        return sorted(chain.from_iterable(groups), key=_BY_ORDERING_KEY)

    def carrying(self, kind: str) -> list[Event]:
        """Return the events of this type that have data: a redaction may have left none."""
        return [event for event in self.of(kind) if event.data]

    def latest(self, field: str, *types: str) -> Any:
        """Return the latest value of `field` that is set in events of these types, or None."""
        for event in reversed(self.of(*types)):
            value = event.data.get(field)
            if is_set(value):
                return value
        return None


def is_set(value: Any) -> bool:
    """Return whether a value is set: null and the empty string leave an earlier value as it is."""
    return value is not None and value != ""


def call_events(events: Iterable[Event], *, opted_out: bool) -> CallEvents:
    """Return the distinct events of `events`, whose order and repetition do not matter.

    Those of an opted-out call are without private content.
    """
    delivered = list(events)
    opted_out = opted_out or any(map(_OPTS_OUT, delivered))
    effective, conflicts = _distinct(delivered, opted_out=opted_out)
    if opted_out:
        effective = [without_content(event) for event in effective]
    effective.sort(key=_BY_ORDERING_KEY)
    by_type: defaultdict[str, list[Event]] = defaultdict(list)
    for event in effective:
        by_type[event.type].append(event)
    return CallEvents(effective, by_type, conflicts, opted_out)


def _distinct(events: list[Event], *, opted_out: bool) -> tuple[list[Event], int]:
    """Return one event per identity, and how many conflicting bodies lost."""
    if len(set(map(_IDENTITY, events))) == len(events):
        return events, 0
    effective: dict[tuple[str, str], Event] = {}
    conflicting: dict[tuple[str, str], dict[bytes, Event]] = {}
    for event in events:
        other = effective.setdefault(event.identity, event)
        if other is not event and (other.raw != event.raw or other.redacted_at != event.redacted_at):
            bodies = conflicting.setdefault(event.identity, {_form(other, opted_out): other})
            form = _form(event, opted_out)
            bodies[form] = min(bodies.get(form, event), event, key=_of_one_body)
    # Only once all are known: a producer may give every event the same identity.
    effective |= {identity: min(bodies.items(), key=_of_conflicting)[1] for identity, bodies in conflicting.items()}
    return list(effective.values()), sum(len(bodies) - 1 for bodies in conflicting.values())


def _form(event: Event, opted_out: bool) -> bytes:
    # A body and its redacted form are the same event.
    return canonical(redact(event.raw) if opted_out else event.raw)


def _of_one_body(event: Event) -> tuple[int, bytes]:
    # The same body in two spellings (the order of keys): the choice must not depend on which came first.
    return (event.redacted_at or _NEVER, event.raw)


def _of_conflicting(body: tuple[bytes, Event]) -> tuple[int, bytes]:
    # In an opted-out call the version redacted first wins: the content of the others may be gone by now.
    return (body[1].redacted_at or _NEVER, body[0])
