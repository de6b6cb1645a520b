"""PURE: what the pages keep of a dead letter, and which of it an account may see."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import chain

from services.console.access.accounts import Role
from services.console.access.ids import unchecked_id_for
from shared.contract.topics import Topics
from shared.dead_letters.dead_letter import DeadLetter
from shared.dead_letters.replayable import why_not_replayable

LONGEST_TEXT = 400
"""Characters of a text that are kept: thousands of dead letters are in memory, and anybody may have sent them."""


@dataclass(frozen=True, slots=True)
class Row:
    """A dead letter without its bytes, texts cut off; `moment` is when Kafka appended it (Unix milliseconds).

    `size` is that of its key, its value and its headers. `obstacle` is why it cannot be replayed, None if it can.
    """

    number: str
    moment: int
    reason: str | None
    organization: str | None
    source: str | None
    call: str | None
    detail: str | None
    replays: int
    replayed_from: str | None
    size: int
    obstacle: str | None


@dataclass(frozen=True, slots=True)
class Newest:
    """The newest dead letters, the newest first; `total` is how many the topic has, also those that were not read."""

    rows: Sequence[Row]
    total: int
    is_whole: bool


def row_of(found: DeadLetter, topics: Topics) -> Row:
    record = found.record
    return Row(
        number=found.number,
        moment=record.timestamp,
        reason=_cut(found.reason),
        organization=_cut(found.organization),
        source=_cut(found.source),
        call=_cut(found.call),
        detail=_cut(found.detail),
        replays=found.replays,
        replayed_from=found.replayed_from,
        size=_size(record.key, record.value, *chain.from_iterable(record.headers)),
        obstacle=why_not_replayable(found, topics),
    )


def visible_to(role: Role, rows: Iterable[Row]) -> list[Row]:
    """Return the rows as the role may see them: what an invalid event holds may be a number or what was said."""
    if role.includes(Role.SUPPORT):
        return list(rows)
    return [_without_content(role, row) for row in rows]


def later_one(rows: Iterable[Row], found: DeadLetter) -> str | None:
    """Return the number of the last dead letter that the replay of this one has become, None if there is none."""
    name = f"{found.record.partition}:{found.record.offset}"
    return next((row.number for row in rows if row.replayed_from == name), None)


def _without_content(role: Role, row: Row) -> Row:
    organization, source = (unchecked_id_for(role, each) for each in (row.organization, row.source))
    return replace(row, organization=organization, source=source, call=None, detail=None)


def _cut(text: str | None) -> str | None:
    return text and text[:LONGEST_TEXT]


def _size(*parts: str | bytes | None) -> int:
    return sum(len(part) for part in parts if part is not None)
