"""The group's offsets are lost, or set back: what is read again changes nothing."""

import pytest

from shared.contract.ids import call_key
from shared.contract.topics import Topics
from shared.process.clock import now_ms
from shared.store.mongo.calls import MongoStore
from shared.store.mongo.client import Connection
from tests.integration.worker.conftest import MakeWorker
from tests.support.events.makers import STARTED, event
from tests.support.events.records import expected, read, wait_for
from tests.support.eventually import eventually
from tests.support.servers.kafka import lag, publish
from tests.support.servers.kafka_tools import GROUPS, run

DAY_MS = 86_400_000
LOSSES = {
    "the group is deleted": ["--delete"],
    "the offsets of a topic are deleted": ["--delete-offsets", "--topic", "{telephony}"],
    "the offsets are set back": ["--reset-offsets", "--to-earliest", "--all-topics", "--execute"],
}


@pytest.mark.parametrize("how", LOSSES)
async def test_records_stay_as_they_are_and_deleted_calls_stay_deleted_when(
    how: str, make_worker: MakeWorker, kafka_bootstrap: str, topics: Topics, connection: Connection
) -> None:
    store, kept = MongoStore(connection), []
    for call in ("call-1", "call-2", "call-3", "deleted"):
        events = [event("call.started", call=call), event("call.ended", at=STARTED + 9_000, call=call)]
        await publish(kafka_bootstrap, topics, events)
        kept += events if call != "deleted" else []
    deleted = call_key("org-789", "deleted")
    worker = make_worker().start().wait_until_ready()
    await wait_for(connection, expected(kept))
    await eventually(lambda: _final(connection, deleted))
    worker.stop()
    await store.tombstone([deleted], now_ms() + DAY_MS)
    await store.delete_log([deleted])
    await store.mark_purged([deleted])

    arguments = [each.format(telephony=topics.telephony) for each in LOSSES[how]]
    run(GROUPS, "--bootstrap-server", kafka_bootstrap, "--group", topics.prefix, *arguments)
    before = await lag(kafka_bootstrap, topics.prefix, topics)
    worker = make_worker().start().wait_until_ready()

    await eventually(lambda: _read_again(kafka_bootstrap, topics))
    await eventually(lambda: worker.events("late") == 2)
    await wait_for(connection, expected(kept))
    assert before > 0
    assert worker.metric("callfold_dead_letters_total") == 0
    assert worker.metric("callfold_records_lost_total") == 0
    assert await read(connection, deleted) == (None, None)
    assert (await store.read([deleted]))[deleted] == []


async def _final(connection: Connection, call: str) -> bool:
    return (await read(connection, call))[1] == "final"


async def _read_again(bootstrap: str, topics: Topics) -> bool:
    return await lag(bootstrap, topics.prefix, topics) == 0
