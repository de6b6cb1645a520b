"""Old calls and unredacted documents, on a real broker and a real database."""

from pathlib import Path

import pytest

from services.worker.maintenance.tombstones import TombstoneJob
from shared.calls.read_call import read_call
from shared.contract.ids import call_key
from shared.contract.topics import Topics
from shared.process.clock import now_ms
from shared.store.models import CallUpdate, LogDocument
from shared.store.mongo.calls import MongoStore
from shared.store.mongo.client import Connection
from tests.integration.worker.conftest import MakeWorker
from tests.support.events.makers import Json, event, raw
from tests.support.events.records import BOOK
from tests.support.eventually import eventually
from tests.support.fixtures import PARTITIONS
from tests.support.servers.kafka import publish
from tests.support.store.makers import document, result, state_of

DAY_MS = 86_400_000
OLD, KEPT, OPTED_OUT = "old", "kept", "opted-out"


@pytest.fixture
async def store(connection: Connection) -> MongoStore:
    """Return a store with a call from 1970, one without a retention, and one with an unredacted document."""
    store = MongoStore(connection)
    await store.prepare()
    for organization in (OLD, KEPT):
        await final(store, organization, event("call.ended"), arrival=1_000)
    await final(store, OPTED_OUT, event("transcript.turn", content="my secret"), arrival=now_ms() - 3_600_000)
    return store


async def final(store: MongoStore, organization: str, body: Json, *, arrival: int) -> None:
    call = call_key(organization, "call-456")
    await store.insert([document(call, content=raw({**body, "organizationid": organization}))])
    await store.mark_stale([CallUpdate(call, 0, arrival, stale=True, opted_out=organization == OPTED_OUT)])
    (lease,) = await store.lease([call], "token")
    await store.store_results([(lease, result(opted_out=organization == OPTED_OUT))])


async def log(store: MongoStore, organization: str) -> list[LogDocument]:
    call = call_key(organization, "call-456")
    return (await store.read([call]))[call]


async def test_old_calls_are_deleted_for_good_and_unredacted_documents_are_redacted(
    make_worker: MakeWorker, kafka_bootstrap: str, topics: Topics, store: MongoStore, tmp_path: Path
) -> None:
    policies = tmp_path / "policies.toml"
    policies.write_text(f"[default]\nretention_days = 30\n[organizations.{KEPT}]\nretention_days = 0\n")
    worker = make_worker(policies=policies).start().wait_until_ready()
    await eventually(lambda: worker.metric("callfold_calls_deleted_total") == 1)
    await eventually(lambda: worker.metric("callfold_sweep_redacted_calls_total") == 1)

    await publish(kafka_bootstrap, topics, [event("call.ended", organization=OLD)])
    await eventually(lambda: worker.events("late") == 1)

    async def is_redacted() -> bool:
        return all(each.redacted_at and b"secret" not in each.events[0] for each in await log(store, OPTED_OUT))

    await eventually(is_redacted)
    assert await log(store, OLD) == []
    assert await read_call(store, call_key(OLD, "call-456"), BOOK) is None
    assert await state_of(store, call_key(KEPT, "call-456")) == "final"
    # By the broker's own settings: 7 days, and 7 more of a segment, in an input topic, then in the dead letters.
    assert worker.metric("callfold_tombstone_ttl_seconds") == 29 * 86_400

    async def tombstone_ttl() -> int:
        return 29 * DAY_MS

    later = TombstoneJob(store, lambda: range(PARTITIONS), tombstone_ttl, clock=lambda: now_ms() + 30 * DAY_MS)
    await eventually(lambda: store.expired_tombstones(range(PARTITIONS), now_ms() + DAY_MS, 1))
    await later.run()
    assert set(await store.read_states([call_key(OLD, "call-456"), call_key(KEPT, "call-456")])) == {f"{KEPT}/call-456"}
