"""The worker on a real broker and a real database: from events to records."""

import random
from datetime import datetime
from typing import Any

import orjson
import pytest
from cloudevents.core.bindings.kafka import to_binary_event, to_structured_event
from cloudevents.core.v1.event import CloudEvent

from deploy.demo.story import story
from shared.calls.read_call import Finality
from shared.contract.topics import Topics
from shared.store.mongo.client import Connection
from shared.store.mongo.documents import logged_of
from tests.support.events.makers import STARTED, Json, event, raw
from tests.support.events.records import by_call, expected, read, wait_for
from tests.support.events.seed_call import seed_call
from tests.support.eventually import eventually
from tests.support.servers.kafka import lag, publish, send
from tests.support.store.kept import kept
from tests.support.worker.process import WorkerProcess


@pytest.mark.usefixtures("worker")
async def test_a_call_is_readable_while_it_runs_with_its_running_values(
    kafka_bootstrap: str, topics: Topics, connection: Connection
) -> None:
    events = seed_call()

    await publish(kafka_bootstrap, topics, events)

    await wait_for(connection, expected(events), Finality.LIVE)
    record, _ = await read(connection, "org-789/call-456")
    assert record["call_cost"]["combined_cost"] == 0.15
    assert record["latency"]["e2e"]["num"] == 15


@pytest.mark.usefixtures("worker")
async def test_the_live_values_are_the_final_ones(kafka_bootstrap: str, topics: Topics, connection: Connection) -> None:
    events = seed_call()
    await publish(kafka_bootstrap, topics, events)
    await wait_for(connection, expected(events), Finality.LIVE)
    live, _ = await read(connection, "org-789/call-456")

    ended = [*events, event("call.ended", at=STARTED + 300_000)]
    await publish(kafka_bootstrap, topics, ended[-1:])

    await wait_for(connection, expected(ended))
    final, _ = await read(connection, "org-789/call-456")
    assert (final["latency"], final["call_cost"]) == (live["latency"], live["call_cost"])


@pytest.mark.usefixtures("worker")
async def test_a_late_event_changes_a_final_record(
    kafka_bootstrap: str, topics: Topics, connection: Connection
) -> None:
    events = [event("call.started"), event("call.ended", at=STARTED + 9_000)]
    await publish(kafka_bootstrap, topics, events)
    await wait_for(connection, expected(events))

    late = [*events, event("transcript.turn", at=STARTED + 4_000, content="Said before the end")]
    await publish(kafka_bootstrap, topics, late[-1:])

    await wait_for(connection, expected(late))


def cloud_event(body: Json) -> CloudEvent:
    attributes = {name: value for name, value in body.items() if name != "data"}
    attributes["time"] = datetime.fromisoformat(body["time"])
    return CloudEvent(attributes=attributes | {"datacontenttype": "application/json"}, data=body["data"])


def anyhow(body: Json, topics: Topics, rng: random.Random) -> dict[str, Any]:
    """Return a message with the event in a random one of the ways that producers use."""
    made = rng.choice((to_structured_event, to_binary_event))(cloud_event(body))
    spelled: Any = rng.choice(((made.value, list(made.headers.items())), (orjson.dumps(body), []), (raw(body), [])))
    key = rng.choice((body["subject"].encode(), b"another key", None))
    where = {"topic": rng.choice(topics.inputs), "partition": rng.choice((None, 0, 1, 2))}
    return {"value": spelled[0], "headers": spelled[1], "key": key, **where}


async def test_order_repetition_mode_topic_key_and_partition_do_not_matter(
    worker: WorkerProcess, kafka_bootstrap: str, topics: Topics, connection: Connection
) -> None:
    rng = random.Random(7)
    events = [body for script in story(STARTED, seed=7) for body in script.events]
    messages = [anyhow(body, topics, rng) for body in events for _ in range(rng.randrange(1, 4))]
    rng.shuffle(messages)

    await send(kafka_bootstrap, messages)

    await wait_for(connection, expected(events))
    assert worker.metric("callfold_mis_keyed_events_total") > 0


async def test_of_an_opted_out_call_the_database_holds_no_content(
    worker: WorkerProcess, kafka_bootstrap: str, topics: Topics, connection: Connection
) -> None:
    before = [event("call.started", from_number="+49 secret"), event("transcript.turn", content="secret before")]
    flag = event("call.updated", opt_out_sensitive_data_storage=True)
    after = [event("tool.called", name="secret_tool"), event("transcript.turn", content="secret after")]
    end = event("call.ended", at=STARTED + 9_000)
    for events in (before, [flag], after, [end]):
        await publish(kafka_bootstrap, topics, events)
        await wait_for(connection, {}, None)

    await wait_for(connection, expected([*before, flag, *after, end]))

    documents = [document async for document in connection.collection("call_events").find()]
    assert documents
    assert all("redacted_at" in document for document in documents)
    assert b"secret" not in b"".join(raw for document in documents for raw in logged_of(document).events)
    assert b"secret" not in b"".join([kept(each) async for each in connection.collection("calls").find()])
    assert "secret" not in worker.log.read_text()


async def test_a_call_that_cannot_be_folded_is_broken_alone(
    worker: WorkerProcess, kafka_bootstrap: str, topics: Topics, connection: Connection
) -> None:
    good = [event("call.started"), event("call.ended", at=STARTED + 9_000)]
    bad = [event("call.started", call="call-bad"), event("call.ended", call="call-bad")]
    # No valid event is known to break a fold: so the log itself is broken here.
    await connection.collection("call_events").insert_one({"_id": "org-789/call-bad/t/0/0-0-1-1-x", "events": 5})

    await publish(kafka_bootstrap, topics, bad + good)

    await wait_for(connection, expected(good))
    await eventually(lambda: worker.metric("callfold_calls_broken_total") == 1)
    document = await connection.collection("calls").find_one({"_id": "org-789/call-bad"})
    assert document["state"] == "broken"
    assert await lag(kafka_bootstrap, topics.prefix, topics) == 0


@pytest.mark.usefixtures("worker")
async def test_a_call_that_grows_is_stored_while_it_is_live(
    kafka_bootstrap: str, topics: Topics, connection: Connection
) -> None:
    events = [event("call.started")] + [event("latency.sampled", at=STARTED + n, value_ms=n) for n in range(60)]

    await publish(kafka_bootstrap, topics, events)

    (wanted,) = expected(events).values()
    calls = connection.collection("calls")
    await eventually(lambda: calls.find_one({"state": "live", "latency.e2e.num": wanted["latency"]["e2e"]["num"]}))


async def test_two_workers_share_the_calls(
    make_worker: Any, kafka_bootstrap: str, topics: Topics, connection: Connection
) -> None:
    workers = [make_worker().start(), make_worker().start()]
    for worker in workers:
        worker.wait_until_ready()
    await eventually(lambda: all(worker.metric("callfold_assigned_partitions") in {2, 4} for worker in workers))
    events = [body for script in story(STARTED, ordinary=20) for body in script.events]

    await publish(kafka_bootstrap, topics, events)

    await wait_for(connection, expected(events))
    assert all(worker.metric("callfold_folds_total") > 0 for worker in workers)


async def test_sigterm_finishes_the_batch_commits_and_leaves_the_group(
    worker: WorkerProcess, kafka_bootstrap: str, topics: Topics, connection: Connection
) -> None:
    events = [body for script in story(STARTED) for body in script.events]
    await publish(kafka_bootstrap, topics, events)
    await eventually(lambda: worker.events() > 0)

    status = worker.stop()

    assert status == 0
    logged = [document async for document in connection.collection("call_events").find()]
    kept = sum(len(logged_of(document).events) for document in logged)
    assert kept == len(events) - await lag(kafka_bootstrap, topics.prefix, topics)


async def test_calls_that_a_dead_worker_leased_are_folded_by_the_next(
    make_worker: Any, kafka_bootstrap: str, topics: Topics, connection: Connection
) -> None:
    events = [body for script in story(STARTED) for body in script.events]
    first = make_worker().start().wait_until_ready()
    await publish(kafka_bootstrap, topics, events)
    await eventually(lambda: first.events() == len(events))
    first.kill()

    make_worker().start().wait_until_ready()

    await wait_for(connection, expected(events))
    assert len(by_call(events)) == await connection.collection("calls").count_documents({"state": "final"})
