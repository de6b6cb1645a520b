"""Calls in the order of their last arrival, in MongoDB: the collection `calls`, each state by an index that has it.

Open, broken and final calls are listed one after the other and merged. Open calls are in the index of the idle-call
timeout, where those of other organizations are passed by. The final calls of one organization are in the index of
retention, those of all need an index of their own: a call is written to it when it becomes final, and not with each
batch. So is that of broken calls, which is empty as long as all calls can be folded.
"""

import asyncio
from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Any

from pymongo import DESCENDING, IndexModel

from shared.store.models import CallFilter, RecentCall
from shared.store.mongo.call_counts import IDLE_CALLS_INDEX
from shared.store.mongo.client import Collection as Documents
from shared.store.mongo.errors import translated_errors
from shared.store.mongo.retention import FOLDED, RETENTION_INDEX
from shared.store.states import OPEN, State


def _index_of(state: State) -> IndexModel:
    # With the fields of the query, so that the index alone answers it: the documents can be large.
    return IndexModel(
        [("state", 1), ("last_arrival", -1), ("_id", 1), ("partition", 1)],
        name=f"{state}_calls",
        partialFilterExpression={"state": state},
    )


_FINAL_INDEX, _BROKEN_INDEX = _index_of(State.FINAL), _index_of(State.BROKEN)
SETTLED_CALLS_INDEXES = (_FINAL_INDEX, _BROKEN_INDEX)

_WRITTEN = [{"_id": {"$type": "string"}}, {"last_arrival": {"$type": ["int", "long"]}}]
"""What somebody edited into another shape has no place in the order."""

Query = tuple[dict[str, Any], str]
"""A filter, and the name of the index that answers it in the order of the last arrival."""


def queries(wanted: CallFilter) -> Iterator[Query]:
    """Yield what finds the wanted calls, in any order; no two find the same call."""
    mine: dict[str, Any] = {"partition": {"$in": sorted(wanted.partitions)}, "$and": [*_WRITTEN, *_keys(wanted)]}
    if states := sorted(OPEN.intersection(wanted.states)):
        yield {**mine, "open": True, "state": {"$in": states}}, IDLE_CALLS_INDEX.document["name"]
    if State.BROKEN in wanted.states:
        yield {**mine, "state": State.BROKEN}, _BROKEN_INDEX.document["name"]
    if State.FINAL in wanted.states:
        final = {**mine, "state": State.FINAL}
        if wanted.organization is None:
            yield final, _FINAL_INDEX.document["name"]
        else:
            yield {**final, **FOLDED, "organization_id": wanted.organization}, RETENTION_INDEX.document["name"]


def _keys(wanted: CallFilter) -> list[dict[str, Any]]:
    """Return the limits of the keys, which each index has, and which begin with the organization."""
    if wanted.organization is None:
        return []
    # `0` is the character after `/`.
    return [{"_id": {"$gte": f"{wanted.organization}/", "$lt": f"{wanted.organization}0"}}]


class MongoRecentCalls:
    """Implements the part of `CallRecords` that lists calls by their last arrival."""

    _calls: Documents

    async def recent_calls(self, wanted: CallFilter, after: RecentCall | None, limit: int) -> list[RecentCall]:
        with translated_errors():
            pages = [_Listing(self._calls, query).page(wanted.since, after, limit) for query in queries(wanted)]
            found = await asyncio.gather(*pages)
        # A call whose state changed between two of the queries is found by both.
        arrivals = dict(sorted(chain.from_iterable(found)))
        return sorted([RecentCall(*each) for each in arrivals.items()], key=_latest_first)[:limit]


class _Listing:
    """What one query finds. Its index has the order of arrivals, but not always that of keys within one moment."""

    def __init__(self, calls: Documents, query: Query) -> None:
        self._calls = calls
        self._wanted, self._index = query

    async def page(self, since: int, after: RecentCall | None, limit: int) -> Sequence[RecentCall]:
        rest, arrivals = [], {"$gte": since}
        if after is not None:
            rest = await self._of_moment(after.last_arrival, after.call, limit)
            arrivals["$lt"] = after.last_arrival
        if len(rest) == limit:
            return rest
        earlier = await self._earlier(arrivals, limit - len(rest))
        if len(rest) + len(earlier) < limit:
            return rest + earlier
        # The page may end within a moment: of its calls the first by key are taken.
        last = earlier[-1].last_arrival
        page = rest + [each for each in earlier if each.last_arrival > last]
        return page + await self._of_moment(last, "", limit - len(page))

    async def _of_moment(self, arrival: int, after: str, limit: int) -> list[RecentCall]:
        also = [*self._wanted["$and"], {"_id": {"$gt": after}}]
        return await self._found({"last_arrival": arrival, "$and": also}, ("_id", 1), limit)

    async def _earlier(self, arrivals: dict[str, int], limit: int) -> list[RecentCall]:
        return await self._found({"last_arrival": arrivals}, ("last_arrival", DESCENDING), limit)

    async def _found(self, also: dict[str, Any], order: tuple[str, int], limit: int) -> list[RecentCall]:
        cursor = self._calls.find({**self._wanted, **also}, {"last_arrival": 1}).hint(self._index)
        found = cursor.sort([order]).limit(limit)
        return [RecentCall(each["_id"], each["last_arrival"]) async for each in found]


def _latest_first(call: RecentCall) -> tuple[int, str]:
    return -call.last_arrival, call.call
