"""How many operations a batch and a fold cost, by MongoDB's profiler: the number must not depend on the content."""

from collections import Counter

import pytest

from services.worker.ingest.write_batch import BatchWriter
from shared.calls.leased_folds import LeasedFolds, Outcome
from shared.store.mongo.calls import MongoStore
from shared.store.mongo.client import Connection
from tests.support.events.makers import book, event, raw
from tests.support.store.makers import document, tokens, update
from tests.support.store.profiler import operations, profile
from tests.support.worker.memory_worker import MemoryWorker, Received, received

CALLS = 300


def records(kind: str, start: int) -> list[Received]:
    """Return six events of each call, call after call."""
    return [received(event(kind, call=f"call-{number // 6}"), offset=start + number) for number in range(6 * CALLS)]


@pytest.fixture
async def batch_writer(connection: Connection) -> BatchWriter:
    store = MongoStore(connection)
    await store.prepare()
    await profile(connection)
    return MemoryWorker(store=store).batch_writer


async def test_a_batch_is_one_insert_one_query_and_the_updates_that_it_needs(
    connection: Connection, batch_writer: BatchWriter
) -> None:
    await batch_writer.write(records("call.started", 0))
    first = await operations(connection)
    await batch_writer.write(records("call.note", 6 * CALLS))
    then = await operations(connection)

    assert first == Counter(insert=1, query=1, update=CALLS)
    assert then - first == Counter(insert=1, query=1)  # a known live call needs no update


async def test_a_lease_is_an_update_of_each_call_by_one_state_and_one_query(connection: Connection) -> None:
    store = MongoStore(connection)
    calls = [f"o/{number}" for number in range(20)]
    await store.mark_stale([update(call) for call in calls])
    await connection.collection("calls").database.command("profile", 2)

    leases = await store.lease(calls, next(tokens))

    profile = connection.collection("calls").database["system.profile"]
    filters = [each["command"]["q"] async for each in profile.find({"op": "update"})]
    assert len(leases) == len(calls)
    assert await operations(connection) == Counter(update=len(calls), query=1)
    assert {each["state"] for each in filters} == {"stale"}
    assert not any("$or" in each or "$expr" in each for each in filters)


async def test_a_fold_is_two_updates_of_each_call_and_two_queries(connection: Connection) -> None:
    store = MongoStore(connection)
    calls = [f"org-789/{number}" for number in range(20)]
    await store.insert([document(call, content=raw(event("call.ended", call=call[8:]))) for call in calls])
    await store.mark_stale([update(call) for call in calls])
    await connection.collection("calls").database.command("profile", 2)

    leases = await store.lease(calls, next(tokens))
    outcome = await LeasedFolds(store, book(), renew_seconds=60).fold(leases)

    assert outcome == Outcome(stored=len(calls))
    assert await operations(connection) == Counter(update=2 * len(calls), query=2)
