"""PURE: which dead letters a page is about, as its address and its forms state it."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Protocol
from urllib.parse import urlencode

from services.console.dead_letters.rows import Row
from shared.dead_letters.selection import Selection

FIELDS = ("reason", "organization", "source")

_WITHOUT = "without"
"""The parameter that names a field which the dead letters do not have."""


class Parameters(Protocol):
    """What was sent: a query or a form."""

    def multi_items(self) -> Iterable[tuple[str, object]]:
        """Return pairs of a name and a value."""


@dataclass(frozen=True, slots=True)
class Filter:
    """What each of these fields must be, None: the dead letter does not have it."""

    limits: Mapping[str, str | None] = field(default_factory=dict)

    def includes(self, row: Row) -> bool:
        return all(getattr(row, name) == value for name, value in self.limits.items())

    def having(self, name: str, value: str | None) -> "Filter":
        """Return the filter with this limit as well, in place of another of the same field."""
        return Filter({**self.limits, name: value})

    def lacking(self, name: str) -> "Filter":
        """Return the filter without its limit of this field."""
        return Filter({other: value for other, value in self.limits.items() if other != name})

    def parameters(self) -> Iterator[tuple[str, str]]:
        """Yield the filter as an address or a form states it."""
        for name, value in self.limits.items():
            yield (_WITHOUT, name) if value is None else (name, value)

    def address(self, page: int = 1) -> str:
        """Return the address of a page of the list."""
        pairs = [*self.parameters(), *([("page", str(page))] if page > 1 else [])]
        return f"/dead-letters?{urlencode(pairs)}" if pairs else "/dead-letters"

    def selection(self, since: int) -> Selection:
        """Return the dead letters of this filter from a Unix time in milliseconds on."""
        reasons, organizations, sources = (
            frozenset([self.limits[name]]) if name in self.limits else frozenset[str | None]() for name in FIELDS
        )
        return Selection(reasons, organizations, sources=sources, since=since)


def filter_of(sent: Parameters) -> Filter:
    """Return the filter that was sent; empty values limit nothing."""
    limits: dict[str, str | None] = {}
    for name, value in sent.multi_items():
        if name in FIELDS and isinstance(value, str) and value:
            limits[name] = value
        elif name == _WITHOUT and value in FIELDS:
            limits.setdefault(str(value), None)
    return Filter(limits)
