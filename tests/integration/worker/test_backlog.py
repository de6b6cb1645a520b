"""A backlog, of which the short telephony topic is drained long before the transcripts."""

import asyncio

import pytest

from shared.calls.read_call import Finality
from shared.contract.payloads import TELEPHONY
from shared.contract.topics import Topics
from shared.store.mongo.client import Connection
from tests.integration.worker.conftest import MakeWorker
from tests.support.events.records import by_call, expected, read, wait_for
from tests.support.events.workload import conversations, interleaved
from tests.support.eventually import scaled
from tests.support.servers.kafka import publish

CALLS = 300
TURNS = 60


@pytest.mark.parametrize("telephony_first", [True, False])
async def test_no_record_is_final_before_it_is_whole_and_none_is_folded_again_and_again(
    make_worker: MakeWorker, kafka_bootstrap: str, topics: Topics, connection: Connection, telephony_first: bool
) -> None:
    events = [body for call in conversations(CALLS, TURNS) for body in call]
    wanted = expected(events)
    telephony = [body for body in events if body["type"] in TELEPHONY]
    transcripts = [body for body in events if body["type"] not in TELEPHONY]
    # The topics are read concurrently, and the telephony topic is short: it is at its end while most of the
    # transcripts, call by call, are still to come.
    for part in (telephony, transcripts) if telephony_first else (transcripts, telephony):
        await publish(kafka_bootstrap, topics, part)
    await asyncio.sleep(2.0)  # a backlog is what has lain for a while
    worker = make_worker(batch_events=300).start()

    final: dict[str, object] = {}
    async with asyncio.timeout(scaled(120)):
        while len(final) < CALLS:
            for call in wanted.keys() - final.keys():
                record, finality = await read(connection, call)
                if finality is Finality.FINAL:
                    final[call] = record
            await asyncio.sleep(0.05)

    assert final == wanted
    assert worker.events() == len(events)
    assert worker.metric("callfold_folds_total") <= 1.5 * len(by_call(events))


async def test_calls_that_never_end_are_folded_a_handful_of_times_while_a_backlog_is_drained(
    make_worker: MakeWorker, kafka_bootstrap: str, topics: Topics, connection: Connection
) -> None:
    open_call = [events[:-1] for events in conversations(50, 200)]
    events = list(interleaved(open_call))
    await publish(kafka_bootstrap, topics, events)
    worker = make_worker().start().wait_until_ready()

    await wait_for(connection, expected(events), Finality.LIVE)

    assert worker.metric("callfold_folds_total") <= 3 * len(open_call)
