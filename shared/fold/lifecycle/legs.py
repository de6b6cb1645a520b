"""The legs of a call, and which of them are connected or over (docs/record.md, Ends, rule 1)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple, get_type_hints

from shared.contract.decode_event import Event
from shared.contract.payloads import TYPES
from shared.fold.events import CallEvents, leg_of
from shared.fold.lifecycle.session import ENDS

Owner = tuple[str | None, str | None]
"""Whose starts and ends belong together: `(leg, None)`, or `(None, source)` for a source's own share of the call."""


_NAMING = frozenset(kind for kind, model in TYPES.items() if "leg_id" in get_type_hints(model))


@dataclass(slots=True)
class Line:
    """The starts and ends of a leg, or of a source's own share of the call, in order."""

    starts: list[Event] = field(default_factory=list)
    ends: list[Event] = field(default_factory=list)

    def connected(self) -> bool:
        return bool(self.starts)

    def over(self) -> bool:
        """Return whether it has an end and no start at a later time than its latest end."""
        return bool(self.ends) and not (self.starts and self.starts[-1].time > self.ends[-1].time)


class Legs(NamedTuple):
    """The legs that events name and the shares of sources; `sources` has who names each leg."""

    lines: Mapping[Owner, Line]
    sources: Mapping[str, frozenset[str]]

    def named(self) -> list[str]:
        return [leg for leg, _ in self.lines if leg is not None]

    def line(self, leg: str) -> Line:
        return self.lines[leg, None]

    def connected(self, leg: str | None) -> bool:
        return leg is not None and self.line(leg).connected()

    def ends_count(self, leg: str) -> bool:
        """Return whether the ends of this leg count.

        Only those of connected legs, once every connected leg and share is over; where nothing is connected, once every
        leg is over.
        """
        connected = [line for line in self.lines.values() if line.connected()]
        if connected:
            return self.line(leg).connected() and all(line.over() for line in connected)
        return all(self.line(named).over() for named in self.named())


def owner_of(event: Event) -> Owner:
    leg = leg_of(event)
    return (leg, None) if leg is not None else (None, event.ordering_key.source)


def legs_of(call: CallEvents) -> Legs:
    lines: dict[Owner, Line] = {}
    sources: dict[str, set[str]] = {}
    for kind, events in call.by_type.items():
        if kind in _NAMING:
            for event in events:
                if (leg := event.data.get("leg_id")) is not None:
                    lines.setdefault((leg, None), Line())
                    sources.setdefault(leg, set()).add(event.ordering_key.source)
    for event in call.of("call.started"):
        lines.setdefault(owner_of(event), Line()).starts.append(event)
    for event in call.of(*ENDS):
        lines.setdefault(owner_of(event), Line()).ends.append(event)
    return Legs(lines, {leg: frozenset(named_by) for leg, named_by in sources.items()})
