"""A worker whose clock is an hour wrong, on a real broker and a real database."""

from pathlib import Path

import pytest

from shared.contract.ids import call_key
from shared.contract.topics import Topics
from shared.process.clock import now_ms
from shared.store.models import CallUpdate
from shared.store.mongo.calls import MongoStore
from shared.store.mongo.client import Connection
from tests.integration.worker.conftest import MakeWorker
from tests.support.events.makers import event, raw
from tests.support.eventually import eventually, scaled
from tests.support.servers.kafka import publish
from tests.support.store.makers import document, result, state_of

HOUR_MS = 3_600_000
POLICIES = Path(__file__).with_name("policies.toml")
ORGANIZATION = "org-789"
IDLE, TALKING, OLD, KEPT, NEW = (
    call_key(ORGANIZATION, name) for name in ("call-idle", "call-talking", "call-old", "call-kept", "call-new")
)


async def live(store: MongoStore, call: str, arrival: int) -> None:
    await store.insert([document(call, content=raw(event("call.started", call=call.partition("/")[2])))])
    await store.mark_stale([CallUpdate(call, 0, arrival, stale=False)])


async def final(store: MongoStore, call: str, arrival: int) -> None:
    await store.insert([document(call, content=raw(event("call.ended", call=call.partition("/")[2])))])
    await store.mark_stale([CallUpdate(call, 0, arrival, stale=True)])
    (lease,) = await store.lease([call], f"token of {call}")
    await store.store_results([(lease, result())])


@pytest.fixture
async def store(connection: Connection) -> MongoStore:
    """Return a store with a call on each side of the idle-call timeout, and one on each side of retention."""
    store, now = MongoStore(connection), now_ms()
    await store.prepare()
    await live(store, IDLE, now - HOUR_MS * 5 // 2)
    await live(store, TALKING, now - HOUR_MS * 3 // 2)
    await final(store, OLD, now - HOUR_MS * 49 // 2)
    await final(store, KEPT, now - HOUR_MS * 47 // 2)
    return store


@pytest.mark.parametrize("ahead_seconds", [3600, -3600])
async def test_a_wrong_clock_ends_or_deletes_no_call_early_or_late(
    ahead_seconds: int, make_worker: MakeWorker, store: MongoStore, kafka_bootstrap: str, topics: Topics
) -> None:
    worker = make_worker(policies=POLICIES, idle_check_seconds=0.5)
    worker.running("tests.support.worker.skewed_worker", CALLFOLD_TEST_AHEAD_SECONDS=str(ahead_seconds))

    with worker:
        await publish(kafka_bootstrap, topics, [event("call.started", call="call-new")])
        await eventually(lambda: worker.metric("callfold_idle_calls_ended_total") == 1)
        await eventually(lambda: worker.metric("callfold_calls_deleted_total") == 1)
        rounds = worker.metric("callfold_tombstone_ttl_seconds")
        states = {call: await state_of(store, call) for call in (TALKING, OLD, KEPT, NEW)}
        arrival = (await store.read_states([NEW]))[NEW].last_arrival

    assert rounds > 0
    assert states == {TALKING: "live", OLD: "deleted", KEPT: "final", NEW: "live"}
    assert abs(arrival - now_ms()) < scaled(600) * 1000
    assert "clock_differs" in worker.written()
