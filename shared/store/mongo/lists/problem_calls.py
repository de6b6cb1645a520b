"""Calls whose events contradict themselves, in MongoDB: the collection `calls`."""

from typing import Any

from pymongo import DESCENDING, IndexModel

from shared.store.models import ProblemCall
from shared.store.mongo.client import Collection as Documents
from shared.store.mongo.errors import translated_errors

# The index is all that is read, because the documents can be large. So it has every field of query and result, also
# `problem_count`, which MongoDB would otherwise check in the document, and the kinds as one value.
_RESULT = [("problem_count", 1), ("problem_kinds", 1)]
_ANY = {"problem_count": {"$gt": 0}}
PROBLEM_INDEXES = (
    IndexModel([("last_arrival", -1), ("_id", 1), *_RESULT], name="problems", partialFilterExpression=_ANY),
    IndexModel(
        [("organization_id", 1), ("last_arrival", -1), ("_id", 1), *_RESULT],
        name="organization_problems",
        partialFilterExpression=_ANY,
    ),
)


def problem_ranges(organization: str | None, since: int, after: ProblemCall | None) -> list[dict[str, Any]]:
    """Return the filters, in order: the rest of the calls of one moment, then those of earlier ones.

    Two, because the index answers each of them in its order, but not the `$or` of both.
    """
    wanted = {**_ANY, **({} if organization is None else {"organization_id": organization})}
    if after is None:
        return [{**wanted, "last_arrival": {"$gte": since}}]
    return [
        {**wanted, "last_arrival": after.last_arrival, "_id": {"$gt": after.call}},
        {**wanted, "last_arrival": {"$gte": since, "$lt": after.last_arrival}},
    ]


def problem_cursor(calls: Documents, wanted: dict[str, Any], limit: int) -> Any:
    """Return the cursor over the calls of one of the ranges, the latest first."""
    # Sorted by what the range leaves open: the index would not give the order by a field that is fixed.
    order = [("_id", 1)] if "_id" in wanted else [("last_arrival", DESCENDING), ("_id", 1)]
    return calls.find(wanted, {"last_arrival": 1, "problem_kinds": 1}).sort(order).limit(limit)


class MongoProblemCalls:
    """Implements the part of `CallRecords` that lists calls with problems."""

    _calls: Documents

    async def problem_calls(
        self, organization: str | None, since: int, after: ProblemCall | None, limit: int
    ) -> list[ProblemCall]:
        found: list[ProblemCall] = []
        with translated_errors():
            for wanted in problem_ranges(organization, since, after):
                if len(found) < limit:
                    cursor = problem_cursor(self._calls, wanted, limit - len(found))
                    found += [_problem_call(each) async for each in cursor]
        return found


def _problem_call(found: dict[str, Any]) -> ProblemCall:
    return ProblemCall(found["_id"], found["last_arrival"], found["problem_kinds"])
