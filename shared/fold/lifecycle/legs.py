"""The legs of a call, and which of them are connected or over (docs/record.md, Ends, rule 1)."""

from dataclasses import dataclass, field
from functools import cached_property
from typing import get_type_hints

from shared.contract.decode_event import Event
from shared.contract.payloads import TYPES
from shared.fold.events import CallEvents, leg_of
from shared.fold.lifecycle.session import ENDS

Owner = tuple[str | None, str | None]
"""Whose starts and ends belong together: `(leg, None)`, or `(None, source)` for a source's own share of the call."""

_TYPES_WITH_LEGS = frozenset(kind for kind, model in TYPES.items() if "leg_id" in get_type_hints(model))


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


class Legs:
    """The legs that the events of a call name, and the shares of its sources; worked out when they are first needed."""

    def __init__(self, call: CallEvents) -> None:
        self._call = call

    @cached_property
    def sources(self) -> dict[str, set[str]]:
        """The sources that name each leg."""
        sources: dict[str, set[str]] = {}
        for kind in _TYPES_WITH_LEGS & self._call.by_type.keys():
            for event in self._call.by_type[kind]:
                if (leg := leg_of(event)) is not None:
                    sources.setdefault(leg, set()).add(event.ordering_key.source)
        return sources

    @cached_property
    def lines(self) -> dict[Owner, Line]:
        """The starts and ends of each leg and share."""
        lines: dict[Owner, Line] = {(leg, None): Line() for leg in self.sources}
        for event in self._call.of("call.started"):
            lines.setdefault(_owner(event), Line()).starts.append(event)
        for event in self._call.of(*ENDS):
            lines.setdefault(_owner(event), Line()).ends.append(event)
        return lines

    def named(self) -> list[str]:
        return sorted(self.sources)

    def line(self, leg: str) -> Line:
        return self.lines[leg, None]

    def connected(self, leg: str | None) -> bool:
        return leg is not None and self.line(leg).connected()

    @cached_property
    def _counting(self) -> bool:
        """Whether ends that name a leg count now: all that is connected is over; where nothing is, every leg is."""
        connected = [line for line in self.lines.values() if line.connected()]
        return all(line.over() for line in connected or map(self.line, self.named()))

    @cached_property
    def _any_connected(self) -> bool:
        return any(line.connected() for line in self.lines.values())

    def ends_count(self, leg: str) -> bool:
        """Return whether the ends of this leg count: of connected legs alone, where anything is connected."""
        return self._counting and (self.line(leg).connected() or not self._any_connected)


def _owner(event: Event) -> Owner:
    leg = leg_of(event)
    return (leg, None) if leg is not None else (None, event.ordering_key.source)
