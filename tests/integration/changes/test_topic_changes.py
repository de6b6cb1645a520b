"""Kafka changes under a worker: topics made anew, partitions added, offsets lost, records removed unread."""

import asyncio
import json
import signal

import pytest

from shared.contract.topics import Topics
from shared.kafka.partitioner import partition_of
from shared.store.mongo.client import Connection
from tests.integration.worker.conftest import MakeWorker
from tests.support.events.makers import STARTED, Json, event
from tests.support.events.records import expected, wait_for
from tests.support.eventually import eventually, scaled
from tests.support.servers.kafka import lag, message, producer, publish
from tests.support.servers.topic_changes import add_partitions, create_topic, delete_records, delete_topics


def calls(name: str, count: int = 12) -> list[Json]:
    """Return finished calls with turns, on every partition of both topics."""
    made = []
    for number in range(count):
        call = f"{name}-{number}"
        made += [
            event("call.started", call=call),
            event("transcript.turn", at=STARTED + 4_000, call=call, content="Good morning"),
            event("call.ended", at=STARTED + 9_000, call=call),
        ]
    return made


async def make_anew(bootstrap: str, topics: Topics) -> None:
    await delete_topics(bootstrap, *topics.inputs)
    for topic in topics.inputs:
        await create_topic(bootstrap, topic, 3)


@pytest.mark.parametrize(("calls_before", "calls_after"), [(40, 10), (6, 60)], ids=["shorter", "longer"])
async def test_topics_made_anew_under_a_worker_are_read_from_their_beginning(
    make_worker: MakeWorker,
    kafka_bootstrap: str,
    topics: Topics,
    connection: Connection,
    *,
    calls_before: int,
    calls_after: int,
) -> None:
    before, after = calls("before", calls_before), calls("after", calls_after)
    worker = make_worker().start().wait_until_ready()
    await publish(kafka_bootstrap, topics, before)
    await wait_for(connection, expected(before))

    await make_anew(kafka_bootstrap, topics)
    await publish(kafka_bootstrap, topics, after)

    await wait_for(connection, expected([*before, *after]))
    assert not worker.ended()


async def test_topics_made_anew_while_no_worker_runs_are_read_from_their_beginning(
    make_worker: MakeWorker, kafka_bootstrap: str, topics: Topics, connection: Connection
) -> None:
    before, after = calls("before", 6), calls("after", 30)
    worker = make_worker().start().wait_until_ready()
    await publish(kafka_bootstrap, topics, before)
    await wait_for(connection, expected(before))
    worker.stop()

    await make_anew(kafka_bootstrap, topics)
    await publish(kafka_bootstrap, topics, after)
    make_worker().start().wait_until_ready()

    await wait_for(connection, expected([*before, *after]))


async def test_partitions_added_under_a_worker_are_read_and_owned(
    make_worker: MakeWorker, kafka_bootstrap: str, topics: Topics, connection: Connection
) -> None:
    worker = make_worker().start().wait_until_ready()
    begun = [event("call.started", call=f"call-{number}") for number in range(12)]
    await publish(kafka_bootstrap, topics, begun)
    await eventually(lambda: worker.events() == len(begun))

    for topic in topics.inputs:
        await add_partitions(kafka_bootstrap, topic, 6)
    rest = [
        each
        for number in range(12)
        for each in (
            event("transcript.turn", at=STARTED + 4_000, call=f"call-{number}", content="Good morning"),
            event("call.ended", at=STARTED + 9_000, call=f"call-{number}"),
        )
    ]
    more = calls("more")
    await publish(kafka_bootstrap, topics, [*rest, *more])

    await wait_for(connection, expected([*begun, *rest, *more]))
    assert worker.metric("callfold_assigned_partitions") == 12
    assert worker.metric("callfold_mis_keyed_events_total") == 0
    assert len({partition_of(f"more-{number}", 6) for number in range(12)}) > 3
    await eventually(lambda: _lag_is_0(kafka_bootstrap, topics))


async def _lag_is_0(bootstrap: str, topics: Topics) -> bool:
    return await lag(bootstrap, topics.prefix, topics) == 0


async def test_records_removed_before_they_were_read_are_counted_and_logged(
    make_worker: MakeWorker, kafka_bootstrap: str, topics: Topics, connection: Connection
) -> None:
    before, lost, after = calls("before", 12), calls("lost", 12), calls("after", 12)
    worker = make_worker().start().wait_until_ready()
    await publish(kafka_bootstrap, topics, before)
    await wait_for(connection, expected(before))
    # A batch that the stop interrupts may be written and not committed: it would be counted too.
    await eventually(lambda: _lag_is_0(kafka_bootstrap, topics))
    worker.stop()
    await publish(kafka_bootstrap, topics, lost)
    for topic in topics.inputs:
        await delete_records(kafka_bootstrap, topic, {0: -1, 1: -1, 2: -1})
    await publish(kafka_bootstrap, topics, after)

    worker = make_worker().start().wait_until_ready()

    await wait_for(connection, expected([*before, *after]))
    assert worker.metric("callfold_records_lost_total") == len(lost)


async def test_records_removed_before_a_running_worker_reads_them_are_counted_and_what_follows_is_read(
    make_worker: MakeWorker, kafka_bootstrap: str, topics: Topics, connection: Connection
) -> None:
    before, lost, after = calls("before"), calls("lost"), calls("after")
    worker = make_worker().start().wait_until_ready()
    await publish(kafka_bootstrap, topics, before)
    await wait_for(connection, expected(before))

    worker.signal(signal.SIGSTOP)
    await asyncio.sleep(scaled(1))  # a fetch that waits at the broker for a tenth of a second would return them
    await publish(kafka_bootstrap, topics, lost)
    for topic in topics.inputs:
        await delete_records(kafka_bootstrap, topic, {0: -1, 1: -1, 2: -1})
    worker.signal(signal.SIGCONT)
    await publish(kafka_bootstrap, topics, after)

    await wait_for(connection, expected([*before, *after]))
    assert worker.metric("callfold_records_lost_total") == len(lost)
    said = [json.loads(line) for line in worker.written().splitlines() if '"records_lost"' in line]
    assert {(each["topic"], each["partition"]) for each in said} == {(t, p) for t in topics.inputs for p in range(3)}
    assert sum(each["last"] - each["first"] + 1 for each in said) == len(lost)
    assert {each["level"] for each in said} == {"error"}


async def test_aborted_transactions_and_marks_are_no_loss(
    make_worker: MakeWorker, kafka_bootstrap: str, topics: Topics, connection: Connection
) -> None:
    events = calls("call")
    async with producer(kafka_bootstrap, transactional_id=topics.prefix) as sender:
        for number, body in enumerate(events):
            await sender.begin_transaction()
            await sender.send(**message(body, topics))
            await sender.commit_transaction()
            await sender.begin_transaction()
            await sender.send(**message(event("call.note", call=f"aborted-{number}"), topics))
            await sender.abort_transaction()
    worker = make_worker().start().wait_until_ready()

    await wait_for(connection, expected(events))

    assert worker.metric("callfold_records_lost_total") == 0
    assert "records_lost" not in worker.written()


async def test_one_topic_with_more_partitions_for_a_while_is_reported_and_loses_nothing(
    make_worker: MakeWorker, kafka_bootstrap: str, topics: Topics, connection: Connection
) -> None:
    worker = make_worker().start().wait_until_ready()
    await add_partitions(kafka_bootstrap, topics.telephony, 6)
    while_they_differ, afterwards = calls("differ"), calls("after")
    await publish(kafka_bootstrap, topics, while_they_differ)
    await eventually(lambda: worker.metric("callfold_assigned_partitions") == 9)
    await wait_for(connection, expected(while_they_differ))
    differ = {topic: worker.metric(f'callfold_input_partitions{{topic="{topic}"}}') for topic in topics.inputs}
    started = make_worker().start().wait_until_ready()

    await add_partitions(kafka_bootstrap, topics.transcription, 6)
    await publish(kafka_bootstrap, topics, afterwards)

    await wait_for(connection, expected([*while_they_differ, *afterwards]))
    assert differ == {topics.telephony: 6, topics.transcription: 3}
    assert "partitions_differ" in worker.written()
    assert "partitions_differ" in started.written()
    await eventually(lambda: worker.metric("callfold_assigned_partitions") == 6)
