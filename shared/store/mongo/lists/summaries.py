"""What lists show of calls, in MongoDB: the collection `calls`; no field that somebody edited into another type."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any, TypeVar

from bson.int64 import Int64

from shared.contract.timestamps import to_unix_ms
from shared.store.models import CallSummary
from shared.store.mongo.client import Collection as Documents
from shared.store.mongo.documents import is_damaged, named
from shared.store.mongo.errors import translated_errors
from shared.store.states import WAITING, State

T = TypeVar("T")

_HEADER = ("state", "last_arrival", "attempts", "marked_at", "problem_count")
_RECORD = ("call_status", "start_timestamp", "call_duration", "call_cost.combined_cost")
_SHOWN = dict.fromkeys([*_HEADER, *_RECORD], 1)
_WHOLE = (int, Int64)
_NUMBER = (int, Int64, float)
_MANY = 10_000


class MongoSummaries:
    """Implements the part of `CallRecords` that says what a list shows of calls."""

    _calls: Documents

    async def summaries(self, calls: Collection[str]) -> dict[str, CallSummary]:
        with translated_errors():
            found = await self._calls.find(named(calls), _SHOWN, batch_size=_MANY).to_list(None)
        return {each["_id"]: summary_of(each) for each in found if each.get("state") != State.DELETED}


def summary_of(found: Mapping[str, Any]) -> CallSummary:
    if is_damaged(found, "state", "last_arrival"):
        return CallSummary(found["_id"], State.BROKEN, 0)
    state = State(found["state"])
    cost = found.get("call_cost")
    marked_at = _written(found, "marked_at", datetime)
    return CallSummary(
        found["_id"],
        state,
        found["last_arrival"],
        status=_written(found, "call_status", str),
        started_at=_written(found, "start_timestamp", *_WHOLE),
        duration=_written(found, "call_duration", *_NUMBER),
        cost=_written(cost, "combined_cost", *_NUMBER) if isinstance(cost, dict) else None,
        problem_count=_written(found, "problem_count", *_WHOLE) or 0,
        stale_since=to_unix_ms(marked_at) if marked_at and state in WAITING else None,
        attempts=_written(found, "attempts", *_WHOLE) or 0,
    )


def _written(found: Mapping[str, Any], name: str, *types: type[T]) -> T | None:
    """Return a field if it has one of these types, by the exact type: a bool is an int, too."""
    value = found.get(name)
    return value if type(value) in types else None
