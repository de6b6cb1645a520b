"""What only the store on MongoDB does."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, cast

import orjson
import pytest
import zstandard

from shared.fold.record import Record
from shared.store.models import CallUpdate, FoldResult, ProblemCall, Watermark
from shared.store.mongo.calls import MongoStore
from shared.store.mongo.client import Collection, Connection
from shared.store.mongo.documents import arrival_ranges
from shared.store.mongo.lists.problem_calls import problem_cursor, problem_ranges
from shared.store.ports import Unstorable
from shared.store.states import State
from tests.support.store.makers import CALL, leased, record, result, state_of, tokens, update


@pytest.fixture
async def mongo_store(connection: Connection) -> MongoStore:
    store = MongoStore(connection)
    await store.prepare()
    return store


class MarksStaleAfterWrites:
    """A connection on which another program marks the call stale directly after each write."""

    def __init__(self, connection: Connection, name: str = "") -> None:
        self._connection = connection
        self._name = name

    def collection(self, name: str) -> Collection:
        return MarksStaleAfterWrites(self._connection, name)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection.collection(self._name), name)

    async def bulk_write(self, writes: Sequence[Any], *, ordered: bool) -> Any:
        written = await self._connection.collection(self._name).bulk_write(writes, ordered=ordered)
        await MongoStore(self._connection).mark_stale([update()])
        return written


async def test_a_call_that_is_marked_stale_while_it_is_leased_loses_no_attempt(
    mongo_store: MongoStore, connection: Connection
) -> None:
    await mongo_store.mark_stale([update()])

    (lease,) = await MongoStore(cast(Connection, MarksStaleAfterWrites(connection))).lease([CALL], next(tokens))

    assert await mongo_store.store_results([(lease, result())]) == {CALL}
    assert (await leased(mongo_store)).attempts == 1


async def test_the_record_is_stored_as_fields_that_can_be_queried(
    mongo_store: MongoStore, connection: Connection
) -> None:
    lease = await leased(mongo_store)
    await mongo_store.store_results([(lease, result())])

    document = await connection.collection("calls").find_one({"metadata.priority": "high"})

    assert document["_id"] == CALL
    assert document["call_status"] == "REGISTERED"
    assert document["events"][0]["event"] == "Call created"
    assert "open" not in document


def large(size: int) -> tuple[Record, FoldResult]:
    made = record()
    made["metadata"] = {"large": "x" * size}
    body = orjson.dumps(made)
    return made, replace(result(), record=made, body=body)


async def test_a_large_record_that_fits_is_there_as_fields_and_as_text(
    mongo_store: MongoStore, connection: Connection
) -> None:
    lease = await leased(mongo_store)
    made, stored = large(11_000_000)

    await mongo_store.store_results([(lease, stored)])

    document = await connection.collection("calls").find_one({"_id": CALL})
    assert zstandard.decompress(document["body"]) == orjson.dumps(made)
    assert document["metadata"] == made["metadata"]
    assert (document["state"], document["event_count"]) == ("final", stored.events)


async def test_a_record_beyond_twelve_megabytes_is_final_without_it(
    mongo_store: MongoStore, connection: Connection
) -> None:
    lease = await leased(mongo_store)
    _, stored = large(13_000_000)

    await mongo_store.store_results([(lease, stored)])

    document = await connection.collection("calls").find_one({"_id": CALL})
    assert (document["state"], "body" in document, "metadata" in document) == ("final", False, False)


@pytest.mark.parametrize("content", [{"\x00": 1}, {"n": 2**63}])
async def test_a_record_that_bson_cannot_hold_is_unstorable_and_not_quoted(
    mongo_store: MongoStore, content: dict[str, Any]
) -> None:
    lease = await leased(mongo_store)
    odd = record()
    odd["metadata"] = content

    with pytest.raises(Unstorable) as raised:
        await mongo_store.store_results([(lease, replace(result(), record=odd))])

    assert raised.value.__cause__ is None
    assert await state_of(mongo_store) is State.FOLDING


async def test_an_update_refused_because_of_a_new_header_is_written_to_it(
    mongo_store: MongoStore, connection: Connection
) -> None:
    class Raced(MongoStore):
        """Meets, the first time, another upsert of the same new call, which the server refuses now and then."""

        raced = False

        async def _refused(self, updates: Sequence[CallUpdate]) -> list[CallUpdate]:
            if not self.raced:
                self.raced = True
                await mongo_store.mark_stale([replace(each, stale=False) for each in updates])
                return list(updates)
            return await super()._refused(updates)

    deleted = await Raced(connection).mark_stale([update("o/1"), update("o/2")])

    assert deleted == set()
    assert [await state_of(mongo_store, call) for call in ("o/1", "o/2")] == [State.STALE, State.STALE]


@pytest.mark.parametrize("query", [{"state": "stale"}, {"state": "folding"}])
async def test_the_queries_for_stale_calls_use_their_index(
    connection: Connection, mongo_store: MongoStore, query: Any
) -> None:
    await mongo_store.mark_stale([update(f"o/{number}", stale=number % 2 == 0) for number in range(100)])
    wanted = {"partition": {"$in": [7, 8]}, "open": True, **query}

    plan = await connection.collection("calls").find(wanted).sort("marked_at", 1).limit(10).explain()

    stages = str(plan["queryPlanner"]["winningPlan"])
    assert "'indexName': 'folder'" in stages
    assert "COLLSCAN" not in stages
    assert "'SORT'" not in stages


@pytest.mark.parametrize("after", [None, (1_000, "o/10")])
async def test_the_query_for_idle_calls_is_answered_by_its_index_alone(
    connection: Connection, mongo_store: MongoStore, after: tuple[int, str] | None
) -> None:
    await mongo_store.mark_stale([update(f"o/{n}", stale=n % 2 == 0, arrival=1_000 + n // 10) for n in range(1_000)])
    *same_moment, later = arrival_ranges(after, 5_000)

    plans = [await idle_calls_plan(connection, each) for each in (later, *same_moment)]

    winning = [str(plan["queryPlanner"]["winningPlan"]) for plan in plans]
    assert all("'indexName': 'closer'" in each for each in winning)
    assert "'SORT'" not in winning[0]
    assert {plan["executionStats"]["totalDocsExamined"] for plan in plans} == {0}


async def idle_calls_plan(connection: Connection, arrivals: Any) -> Any:
    wanted = {"open": True, "partition": {"$in": [7, 8]}, "state": "live", **arrivals}
    found = connection.collection("calls").find(wanted, {"partition": 1, "last_arrival": 1})
    return await found.sort([("last_arrival", 1), ("_id", 1)]).limit(10).explain()


@pytest.mark.parametrize("organization", [None, "o"])
@pytest.mark.parametrize("after", [None, ProblemCall("o/10", 1_000, {})])
async def test_the_query_for_calls_with_problems_is_answered_by_its_index_alone(
    connection: Connection, mongo_store: MongoStore, after: ProblemCall | None, organization: str | None
) -> None:
    calls = [f"{'op'[number % 2]}/{number}" for number in range(300)]
    await mongo_store.mark_stale([update(call, arrival=900 + number) for number, call in enumerate(calls)])
    leases = await mongo_store.lease(calls, next(tokens))
    await mongo_store.store_results([(lease, result(problems={"conflict": n % 3})) for n, lease in enumerate(leases)])

    ranges = problem_ranges(organization, 950, after)
    plans = [await problem_cursor(connection.collection("calls"), each, 10).explain() for each in ranges]

    name = "problems" if organization is None else "organization_problems"
    for plan in plans:
        winning = str(plan["queryPlanner"]["winningPlan"])
        assert f"'indexName': '{name}'" in winning
        assert "'SORT'" not in winning
        assert plan["executionStats"]["totalDocsExamined"] == 0
        assert plan["executionStats"]["totalKeysExamined"] <= 15


async def test_a_call_is_stored_under_its_own_id(mongo_store: MongoStore, connection: Connection) -> None:
    lease = await leased(mongo_store, "org-789/a%252Fb%2Fc")
    await mongo_store.store_results([(lease, result())])

    document = await connection.collection("calls").find_one({"call_id": "a%2Fb/c"})

    assert (document["_id"], document["organization_id"]) == ("org-789/a%252Fb%2Fc", "org-789")


async def test_a_watermark_that_someone_edited_into_nonsense_is_left_out(
    mongo_store: MongoStore, connection: Connection
) -> None:
    await mongo_store.put_watermarks({0: 1_000}, 12)
    edited: list[dict[str, Any]] = [
        {"until": "now", "partitions": 12},
        {"until": 1_000, "partitions": 0},
        {"until": 1_000},
    ]
    await connection.collection("watermarks").insert_many(
        [{"_id": number, **document} for number, document in enumerate(edited, 1)]
    )

    assert await mongo_store.watermarks() == {0: Watermark(1_000, 12)}
