"""Input topics whose records have the times of producers' clocks, a year ahead or behind."""

from pathlib import Path

from shared.contract.topics import INPUT_MAX_MESSAGE_BYTES, Topics
from shared.process.clock import now_ms
from shared.store.mongo.calls import MongoStore
from shared.store.mongo.client import Connection
from tests.integration.worker.conftest import MakeWorker
from tests.integration.worker.test_retention import OLD, final
from tests.support.events.makers import STARTED, Json, event
from tests.support.events.records import expected, read, wait_for
from tests.support.eventually import eventually
from tests.support.servers.kafka import message, send
from tests.support.servers.topic_changes import configure

YEAR_MS = 365 * 86_400_000
POLICIES = """
[default]
close_ongoing_seconds = 7200
retention_days = 30
[organizations.quick]
close_ongoing_seconds = 1
"""


# Kafka refuses times that are more than an hour ahead, and removes what is old, unless it is told not to.
CONFIGS = {
    "message.timestamp.type": "CreateTime",
    "message.timestamp.after.max.ms": str(2 * YEAR_MS),
    "max.message.bytes": str(INPUT_MAX_MESSAGE_BYTES),
    "retention.ms": "-1",
}


async def test_clocks_a_year_ahead_or_behind_end_and_delete_no_call_and_delay_no_record(
    make_worker: MakeWorker, kafka_bootstrap: str, topics: Topics, connection: Connection, tmp_path: Path
) -> None:
    policies = tmp_path / "policies.toml"
    policies.write_text(POLICIES)
    settings = {"policies": policies, "idle_check_seconds": 0.5}
    for topic in topics.inputs:
        await configure(kafka_bootstrap, topic, **CONFIGS)
    finished: list[Json] = []
    messages = []
    for clock, shift in {"ahead": YEAR_MS, "behind": -YEAR_MS}.items():
        ended = [event("call.started", call=f"{clock}-1"), event("call.ended", at=STARTED + 9_000, call=f"{clock}-1")]
        running = event("call.started", call=f"{clock}-2")
        finished += ended
        messages += [message(each, topics) | {"timestamp_ms": now_ms() + shift} for each in (*ended, running)]
    worker = make_worker(**settings).start().wait_until_ready()
    await send(kafka_bootstrap, messages)
    await wait_for(connection, expected(finished))
    worker.stop()

    # Another worker, whose first pass of retention finds the call that is old, and whose timeout finds the idle one.
    await final(MongoStore(connection), OLD, event("call.ended"), arrival=1_000)
    worker = make_worker(**settings).start().wait_until_ready()
    await send(kafka_bootstrap, [message(event("call.started", organization="quick", call="idle"), topics)])
    await eventually(lambda: worker.metric("callfold_calls_deleted_total") >= 1)
    await eventually(lambda: worker.metric("callfold_idle_calls_ended_total") >= 1)

    assert worker.metric("callfold_calls_deleted_total") == 1
    assert worker.metric("callfold_idle_calls_ended_total") == 1
    assert [(await read(connection, f"org-789/{clock}-2"))[1] for clock in ("ahead", "behind")] == ["live", "live"]
    await wait_for(connection, expected(finished))
    assert "topics_on_producers_clocks" in worker.written()
