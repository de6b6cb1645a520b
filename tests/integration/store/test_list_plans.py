"""The plans of the lists of calls: MongoDB walks an index in its order, and reads few documents, which can be large."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from shared.store.models import CallFilter, CallUpdate, RecentCall
from shared.store.mongo.calls import MongoStore
from shared.store.mongo.client import Connection
from shared.store.states import State
from tests.support.store.makers import leased, result, tokens

PARTITIONS = range(8)
EVERY = frozenset(State)
PAGE = 10


@pytest.fixture
async def store(connection: Connection) -> MongoStore:
    """Hold 400 calls, two of them broken; the others are live, stale, or final."""
    store = MongoStore(connection)
    await store.prepare()
    for kind, stale in (("live", False), ("stale", True), ("final", True)):
        calls = [f"{'op'[number % 2]}/{kind}-{number}" for number in range(133)]
        await store.mark_stale([CallUpdate(call, n % 8, 1_000 + n // 10, stale) for n, call in enumerate(calls)])
        if kind == "final":
            await store.store_results([(lease, result()) for lease in await store.lease(calls, next(tokens))])
    for call in ("o/broken", "p/broken"):
        await store.mark_broken([await leased(store, call)])
    return store


@pytest.fixture
async def profile(connection: Connection, store: MongoStore) -> AsyncIterator[Any]:
    assert await store.headers(["o/broken"])  # what was written is not profiled
    database = connection.collection("calls").database
    await database.command("profile", 2)
    yield database["system.profile"]
    await database.command("profile", 0)


@pytest.mark.parametrize(
    ("states", "organization", "indexes"),
    [
        (EVERY, None, {"closer", "broken_calls", "final_calls"}),
        (EVERY, "o", {"closer", "broken_calls", "retention"}),
        ({State.STALE}, None, {"closer"}),
        ({State.FINAL}, None, {"final_calls"}),
        ({State.BROKEN}, "o", {"broken_calls"}),
    ],
)
async def test_a_page_of_a_list_reads_a_part_of_an_index(
    store: MongoStore, profile: Any, states: frozenset[State], organization: str | None, indexes: set[str]
) -> None:
    wanted = CallFilter(states, PARTITIONS, organization, since=1_000)

    await store.recent_calls(wanted, None, PAGE)
    await store.recent_calls(wanted, RecentCall("o/final-62", 1_006), PAGE)

    done = [each async for each in profile.find({"op": "query", "ns": {"$regex": r"\.calls$"}})]
    assert {each["command"]["hint"] for each in done} == indexes
    for each in done:
        assert "IXSCAN" in each["planSummary"], each
        # Open calls of other organizations are passed by, in the index alone.
        assert each["keysExamined"] <= (400 if (organization, each["command"]["hint"]) == ("o", "closer") else 5 * PAGE)
        assert each["docsExamined"] <= (PAGE if each["command"]["hint"] == "retention" else 0), each


@pytest.mark.parametrize("edited", [{"last_arrival": "now"}, {"last_arrival": 1_500.5}, {"partition": "one"}])
async def test_what_somebody_edited_ends_no_list(
    store: MongoStore, connection: Connection, edited: dict[str, Any]
) -> None:
    await connection.collection("calls").update_many({"call_id": {"$in": ["final-131", "live-130"]}}, {"$set": edited})

    found = await store.recent_calls(CallFilter(EVERY, PARTITIONS), None, 1_000)

    assert len(found) == 3 * 133 - 2 + 2


async def test_a_summary_leaves_out_what_somebody_edited_into_another_type(
    store: MongoStore, connection: Connection
) -> None:
    calls = connection.collection("calls")
    edited = {"call_status": 7, "start_timestamp": True, "call_duration": "long", "call_cost": 3, "problem_count": None}
    await calls.update_one({"_id": "o/final-0"}, {"$set": edited})
    await calls.update_one({"_id": "p/final-1"}, {"$set": {"state": "lost"}})

    found = await store.summaries(["o/final-0", "p/final-1"])

    one, other = found["o/final-0"], found["p/final-1"]
    assert (one.status, one.started_at, one.duration, one.cost, one.problem_count) == (None, None, None, None, 0)
    assert (other.state, other.last_arrival) == (State.BROKEN, 0)
