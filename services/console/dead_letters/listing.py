"""PURE: what the list shows of the newest dead letters."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil

from services.console.access.accounts import Role
from services.console.dead_letters.chart import Chart, chart
from services.console.dead_letters.filters import FIELDS, Filter
from services.console.dead_letters.letters import Letter, Newest, visible_to
from services.console.dead_letters.summary import MOST_SENDERS, Sender, by_reason, choices, senders

PAGE = 50
"""Dead letters on a page of the list."""


@dataclass(frozen=True, slots=True)
class Listing:
    """A page of the list, for one role and one filter.

    `letters` are those of the page, `count` is how many the filter has, `read` how many were read of the topic's
    `total`. `offered` has the values of each field that a form may offer.
    """

    letters: Sequence[Letter]
    count: int
    read: int
    total: int
    is_whole: bool
    page: int
    pages: int
    reasons: Sequence[tuple[str | None, int]]
    senders: Sequence[Sender]
    more_senders: int
    chart: Chart | None
    offered: Mapping[str, Sequence[str]]


def listing(newest: Newest, chosen: Filter, page: int, role: Role) -> Listing:
    """Return page `page`, the nearest one there is."""
    seen = visible_to(role, newest.letters)
    letters = [letter for letter in seen if chosen.includes(letter)]
    pages = max(1, ceil(len(letters) / PAGE))
    page = min(max(page, 1), pages)
    found = senders(letters)
    return Listing(
        letters=letters[(page - 1) * PAGE : page * PAGE],
        count=len(letters),
        read=len(newest.letters),
        total=newest.total,
        is_whole=newest.is_whole,
        page=page,
        pages=pages,
        reasons=by_reason(letters),
        senders=found[:MOST_SENDERS],
        more_senders=max(0, len(found) - MOST_SENDERS),
        chart=chart(letters),
        offered={name: choices(seen, name) for name in FIELDS},
    )
