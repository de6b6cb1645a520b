"""Reads what the page about broken and stale calls shows, and has calls folded again."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from services.console.calls.listing import PAGE, partitions_of
from services.console.calls.rows import Row, row_of
from shared.calls.fold_again import fold_again
from shared.store.models import CallCounts, CallFilter, RecentCall
from shared.store.ports import Store
from shared.store.states import State

MOST_COUNTED = 10_000
MOST_WAITING = 20


@dataclass(frozen=True, slots=True)
class BrokenCalls:
    """Calls by state, each number up to `MOST_COUNTED`; broken calls, the latest first; those that wait longest."""

    counts: CallCounts
    broken: Sequence[Row]
    following: RecentCall | None
    waiting: Sequence[Row]


async def broken_calls(store: Store, after: RecentCall | None) -> BrokenCalls:
    """Return the page that starts after a call.

    Raises:
        StoreUnavailable: the store does not answer.
    """
    partitions = await partitions_of(store)
    counts, found, stale = await asyncio.gather(
        store.call_counts(partitions, MOST_COUNTED),
        store.recent_calls(CallFilter(frozenset({State.BROKEN}), partitions), after, PAGE + 1),
        store.stale_calls(partitions, MOST_WAITING),
    )
    shown = found[:PAGE]
    broken = await _rows(store, [each.call for each in shown])
    waiting = await _rows(store, [each.call for each in stale])
    return BrokenCalls(
        counts,
        [row for row in broken if row.finality == "broken"],
        shown[-1] if len(found) > PAGE else None,
        [row for row in waiting if row.summary.stale_since is not None],
    )


async def rebuild(store: Store, calls: Sequence[str]) -> list[str]:
    """Have those of these calls that are broken folded again by the workers; return them.

    Raises:
        StoreUnavailable: the store does not answer; any number of the calls may be folded again.
    """
    headers = await store.headers(calls)
    broken = [call for call in calls if call in headers and headers[call].state is State.BROKEN]
    if broken:
        partitions = max(1, len(await partitions_of(store)))
        await store.mark_stale([fold_again(call, headers[call], partitions) for call in broken])
    return broken


async def _rows(store: Store, calls: Sequence[str]) -> list[Row]:
    summaries = await store.summaries(calls)
    return [row_of(summaries[call]) for call in calls if call in summaries]
