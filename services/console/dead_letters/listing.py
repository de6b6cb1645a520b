"""PURE: what the list shows of the newest dead letters."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil

from services.console.access.accounts import Role
from services.console.dead_letters.chart import Chart, chart
from services.console.dead_letters.filters import FIELDS, Filter
from services.console.dead_letters.rows import Newest, Row, visible_to
from services.console.dead_letters.summary import MOST_SENDERS, Sender, by_reason, choices, senders

PAGE = 50
"""Dead letters on a page of the list."""


@dataclass(frozen=True, slots=True)
class Listing:
    """A page of the list, for one role and one filter.

    `rows` are those of the page, `count` is how many the filter has, `read` how many were read of the topic's
    `total`. `offered` has the values of each field that a form may offer.
    """

    rows: Sequence[Row]
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
    seen = visible_to(role, newest.rows)
    rows = [row for row in seen if chosen.includes(row)]
    pages = max(1, ceil(len(rows) / PAGE))
    page = min(max(page, 1), pages)
    found = senders(rows)
    return Listing(
        rows=rows[(page - 1) * PAGE : page * PAGE],
        count=len(rows),
        read=len(newest.rows),
        total=newest.total,
        is_whole=newest.is_whole,
        page=page,
        pages=pages,
        reasons=by_reason(rows),
        senders=found[:MOST_SENDERS],
        more_senders=max(0, len(found) - MOST_SENDERS),
        chart=chart(rows),
        offered={name: choices(seen, name) for name in FIELDS},
    )
