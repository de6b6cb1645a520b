"""The plans of the queries for old and opted-out calls: MongoDB reads what it returns, and no more."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from shared.store.models import CallUpdate, Lease
from shared.store.mongo.calls import MongoStore
from shared.store.mongo.client import Connection
from tests.support.store.makers import document, result

CROWD = [f"o/{number}" for number in range(300)]
OLD, OPTED_OUT = ["a/1", "b/1"], ["c/1", "c/2"]
PARTITIONS = range(12)
FEW = 40  # keys or documents that a query for two calls may examine, over 12 partitions of an index


@pytest.fixture
async def profile(connection: Connection) -> AsyncIterator[Any]:
    """Fill the database, turn MongoDB's profiler on, and give the collection that it writes to."""
    store = MongoStore(connection)
    await store.prepare()
    everything = [*CROWD, *OLD, *OPTED_OUT]
    await store.insert([document(call) for call in everything])
    for calls, arrival, opted_out in ((CROWD, 9_000, False), (OLD, 1_000, False), (OPTED_OUT, 9_000, True)):
        await store.mark_stale(
            [CallUpdate(call, number % 12, arrival, True, opted_out) for number, call in enumerate(calls)]
        )
        leases = await store.lease(calls, "token")
        await store.store_results([(lease, result(opted_out=opted_out)) for lease in leases])
    database = connection.collection("calls").database
    await database.command("profile", 2)
    yield database["system.profile"]
    await database.command("profile", 0)


async def test_retention_and_the_redaction_sweep_examine_little_more_than_they_return(
    connection: Connection, profile: Any
) -> None:
    store = MongoStore(connection)
    until = 2**42

    organizations = await store.organizations()
    past_retention = [
        *await store.past_retention("a", PARTITIONS, 5_000, 9),
        *await store.past_retention("b", PARTITIONS, 5_000, 9),
    ]
    tombstones = await store.tombstone(past_retention, 5_000)
    left = await store.tombstoned(PARTITIONS, 9)
    late = await store.mark_stale([CallUpdate("a/1", 3, 9_000, stale=True)])
    await store.delete_log(left)
    await store.mark_purged(left)
    expired_tombstones = await store.expired_tombstones(PARTITIONS, until, 9)
    await store.renew_tombstones(["b/1"], until)
    expired = await store.expire_tombstones(expired_tombstones, until)
    opted_out = await store.opted_out_calls(PARTITIONS, (0, ""), 10_000, 9)
    following = await store.opted_out_calls(PARTITIONS, (9_000, "c/1"), 10_000, 9)
    raw = await store.unredacted([each.call for each in opted_out])

    assert (organizations, past_retention, tombstones, set(left)) == (["a", "b", "c", "o"], OLD, 2, set(OLD))
    assert (late, set(expired_tombstones), expired) == ({"a/1"}, set(OLD), 1)
    assert ([each.call for each in opted_out], [each.call for each in following], raw) == (
        OPTED_OUT,
        ["c/2"],
        set(OPTED_OUT),
    )
    done = [each async for each in profile.find({"ns": {"$regex": r"\.(calls|call_events)$"}})]
    assert len(done) >= 16
    for each in done:
        assert "COLLSCAN" not in each.get("planSummary", ""), each
        assert each.get("keysExamined", 0) <= FEW, each
        assert each.get("docsExamined", 0) <= FEW, each
        assert not each.get("hasSortStage"), each


async def test_counting_calls_reads_indexes_alone_and_no_more_than_is_counted(
    connection: Connection, profile: Any
) -> None:
    store = MongoStore(connection)
    await store.mark_stale([CallUpdate(f"n/{number}", number % 12, 9_000, stale=False) for number in range(100)])
    await store.mark_broken(await _leased(store, ["b/broken"]))

    counts = await store.call_counts(PARTITIONS, 20)

    assert (counts.live, counts.stale, counts.broken) == (20, 0, 1)
    done = [each async for each in profile.find({"command.aggregate": "calls"})]
    assert len(done) == 3
    for each in done:
        assert each.get("keysExamined", 0) <= FEW, each
        assert each.get("docsExamined", 0) == 0, each


async def _leased(store: MongoStore, calls: list[str]) -> list[Lease]:
    await store.mark_stale([CallUpdate(call, 1, 9_000, stale=True) for call in calls])
    return await store.lease(calls, "another token")
