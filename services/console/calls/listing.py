"""Reads a page of the list of calls from the store."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from services.console.calls.filters import Filter
from services.console.calls.rows import Row, row_of
from shared.store.models import CallFilter, ProblemCall, RecentCall
from shared.store.ports import Store, Watermarks

PAGE = 50

MOST_PASSED_BY = 1_000
"""What no index answers is looked for among so many calls, from the latest on."""

_CHUNK = 500


@dataclass(slots=True)
class Listing:
    """A page; the next one starts after `following`, None: there is none. `is_cut`: more may match, among older calls.

    `knows_workers`: without any, nothing can be said of calls.
    """

    rows: list[Row] = field(default_factory=list)
    following: RecentCall | None = None
    is_cut: bool = False
    knows_workers: bool = True

    @property
    def changes(self) -> bool:
        """Whether one of its calls is still going on, or will be folded."""
        return any(row.finality in {"live", "settling"} for row in self.rows)


async def partitions_of(store: Watermarks) -> range:
    """Return the partitions that an input topic has, as the workers know; none before the first has started."""
    known = await store.watermarks()
    return range(max((each.partitions for each in known.values()), default=0))


async def listing(store: Store, chosen: Filter, now: int) -> Listing:
    """Return the page that the filter states.

    Raises:
        StoreUnavailable: the store does not answer.
    """
    partitions = await partitions_of(store)
    wanted = CallFilter(chosen.states, partitions, chosen.organization or None, chosen.since(now))
    page, passed = Listing(knows_workers=bool(partitions)), 0
    after, limit = chosen.after, _CHUNK if chosen.needs_walk else PAGE + 1
    while passed < MOST_PASSED_BY:
        calls = await _calls(store, chosen, wanted, after, limit)
        if await _fill(store, page, chosen, calls):
            return page
        if len(calls) < limit:
            page.following = None
            return page
        after, passed = calls[-1], passed + len(calls)
    page.following, page.is_cut = after, True
    return page


async def _calls(
    store: Store, chosen: Filter, wanted: CallFilter, after: RecentCall | None, limit: int
) -> Sequence[RecentCall]:
    if not chosen.problems:
        return await store.recent_calls(wanted, after, limit)
    start = None if after is None else ProblemCall(after.call, after.last_arrival, {})
    found = await store.problem_calls(wanted.organization, wanted.since, start, limit)
    return [RecentCall(each.call, each.last_arrival) for each in found]


async def _fill(store: Store, page: Listing, chosen: Filter, calls: Sequence[RecentCall]) -> bool:
    """Add the calls that match; return whether there are more of them than the page takes."""
    summaries = await store.summaries([each.call for each in calls])
    for each in calls:
        summary = summaries.get(each.call)
        if summary is None or not chosen.includes(summary):  # it has changed meanwhile, or is passed by
            continue
        if len(page.rows) == PAGE:
            return True
        page.rows.append(row_of(summary))
        page.following = each
    return False
