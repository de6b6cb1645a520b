"""The distinct events of a call, in order (docs/record.md, Order and Conflicts)."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import chain
from operator import attrgetter
from typing import Any, NamedTuple

from shared.contract.decode_event import Event, InvalidEvent, canonical, decode_logged
from shared.contract.problems import ProblemKind
from shared.fold.problems import CallProblem, of_reading, union
from shared.fold.redaction import redact

_BY_ORDERING_KEY = attrgetter("ordering_key")
_IDENTITY = attrgetter("ordering_key.source", "ordering_key.id")
_OPTS_OUT = attrgetter("opts_out")
_PROBLEMS = attrgetter("problems")
_TIME = b',"time":"'
_TIME_LENGTH = len(_TIME) + len('2023-12-20T18:45:00.000Z"')


class CallEvents(NamedTuple):
    """The distinct events of one call, sorted by ordering key.

    `conflicts` counts the bodies that lost to another with the same identity. `opted_out` is true if any body opts out,
    even one that lost. `problems` are those of the events' reading and the conflicts.
    """

    events: Sequence[Event]
    by_type: Mapping[str, list[Event]]
    conflicts: int
    opted_out: bool
    problems: Sequence[CallProblem]

    def of(self, *types: str) -> list[Event]:
        """Return the events of these types, in order."""
        groups = [group for kind in types if (group := self.by_type.get(kind))]
        if len(groups) > 1:
            return sorted(chain.from_iterable(groups), key=_BY_ORDERING_KEY)
        return groups[0] if groups else []

    def carrying(self, kind: str) -> list[Event]:
        """Return the events of this type that have data: a redaction may have left none."""
        return [event for event in self.of(kind) if event.data]

    def latest_time(self, *types: str) -> int | None:
        """Return the latest time (Unix milliseconds) of an event of these types, None if there is none."""
        latest: int | None = None
        for kind in types:
            group = self.by_type.get(kind)
            if group and (latest is None or group[-1].time > latest):
                latest = group[-1].time
        return latest


def is_set(value: Any) -> bool:
    """Return whether a value is set: null and the empty string leave an earlier value as it is."""
    return value is not None and value != ""


def leg_of(event: Event) -> str | None:
    """Return the leg that an event of a known type names, None if it speaks of the call as a whole."""
    leg: str | None = event.data.get("leg_id")
    return leg


def named_key(event: Event, id_field: str) -> tuple[str, str, bool]:
    """Return the key of what an id in `data` names within its source; without an id, of the event itself."""
    key, named = event.ordering_key, event.data.get(id_field)
    return (key.source, key.id if named is None else named, named is None)


def latest_of_each(
    events: Iterable[Event], id_field: str, also: Callable[[dict[str, Any]], object] = lambda _: None
) -> list[Event]:
    """Return, in order, the latest of the events that one id of a source names; one without an id stands by itself.

    Only events of which `also`, of their data, is the same compete with each other.
    """
    latest: dict[tuple[object, ...], Event] = {}
    for event in events:
        key = (named_key(event, id_field), also(event.data))
        latest.pop(key, None)  # the later one takes its own place in the order
        latest[key] = event
    return list(latest.values())


def call_events(events: Iterable[Event], *, opted_out: bool) -> CallEvents:
    """Return the distinct events of `events`, whose order and repetition do not matter.

    Those of an opted-out call are redacted first, so that nothing depends on which of them already were.
    """
    delivered, opted_out = as_counted(events, opted_out=opted_out)
    effective, losers = _distinct(delivered)
    effective.sort(key=_BY_ORDERING_KEY)
    by_type: defaultdict[str, list[Event]] = defaultdict(list)
    for event in effective:
        by_type[event.type].append(event)
    problems = of_reading(effective) if any(map(_PROBLEMS, effective)) else []
    problems += [CallProblem(ProblemKind.CONFLICT, event, None, _CONFLICT) for event in losers]
    return CallEvents(effective, by_type, len(losers), opted_out, problems)


def as_counted(events: Iterable[Event], *, opted_out: bool) -> tuple[list[Event], bool]:
    """Return these events, redacted if any of them opts out or `opted_out`, and whether they are."""
    delivered = list(events)
    opted_out = opted_out or any(map(_OPTS_OUT, delivered))
    return [_redacted(event) for event in delivered] if opted_out else delivered, opted_out


_CONFLICT = "another body has the same `source` and `id`, and counts instead of this one"


def _redacted(event: Event) -> Event:
    if event.redacted_at:
        return event
    left = decode_logged(redact(event.raw), redacted_at=1)
    if isinstance(left, InvalidEvent):
        raise ValueError(f"a redacted event is invalid: {left.reason}")  # noqa: TRY004 - a mistake in redact()
    return left


def _distinct(events: list[Event]) -> tuple[list[Event], list[Event]]:
    """Return one event per identity, and each conflicting body that lost."""
    if len(set(map(_IDENTITY, events))) == len(events):
        return events, []
    effective: list[Event] = []
    losers: list[Event] = []
    for same in by_identity(events).values():
        winner, *lost = bodies_of(same)
        effective.append(winner.event)
        losers += [body.event for body in lost]
    return effective, losers


class Body(NamedTuple):
    """A body that was delivered under one identity: the event that is taken for it, and all its copies."""

    event: Event
    copies: Sequence[Event]


def by_identity(events: Iterable[Event]) -> dict[tuple[str, str], list[Event]]:
    copies: dict[tuple[str, str], list[Event]] = {}
    for event in events:
        copies.setdefault(event.identity, []).append(event)
    return copies


def bodies_of(same: Sequence[Event]) -> list[Body]:
    """Return the bodies of all events with one identity: first the one that counts, then each that lost to it.

    Of several bodies the one whose canonical form compares lowest counts.
    """
    if len({event.raw for event in same}) == 1:
        return [Body(same[0], same)]
    forms: dict[bytes, list[Event]] = {}
    for event in same:
        forms.setdefault(canonical(event.raw), []).append(event)
    bodies = []
    for form, joined in sorted(_deliveries_joined(forms).items()):
        # One body can be spelled in several ways (the order of keys): the choice must not depend on which came first.
        chosen = min(forms[form], key=lambda event: (event.time, event.raw))
        copies = [event for each in joined for event in forms[each]]
        bodies.append(Body(chosen._replace(problems=union(forms[form])), copies))
    return bodies


def _deliveries_joined(bodies: dict[bytes, list[Event]]) -> dict[bytes, list[bytes]]:
    """Return the canonical forms of each body, by the form that counts.

    Those that differ in `time` alone are one if one carries `producertime`. They are
    deliveries of one event whose clock was wrong. The earliest arrival counts.
    """
    groups: dict[bytes, list[bytes]] = {}
    for form in bodies:
        groups.setdefault(_without_time(form), []).append(form)
    joined: dict[bytes, list[bytes]] = {}
    for forms in groups.values():
        if len(forms) > 1 and any(event.has_wrong_clock for form in forms for event in bodies[form]):
            earliest = min(forms, key=lambda form: bodies[form][0].time)
            joined[earliest] = forms
        else:
            joined |= {form: [form] for form in forms}
    return joined


def _without_time(form: bytes) -> bytes:
    # No string of JSON holds a plain quotation mark, and only `type` comes after `time`.
    at = form.rindex(_TIME)
    return form[:at] + form[at + _TIME_LENGTH :]
