"""`callfold rebuild` on real servers, while a worker runs."""

import asyncio
import random
import re
import signal
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import zstandard

from shared.calls.fold_call import fold_call, render
from shared.config.price_book import load
from shared.contract.topics import Topics
from shared.fold.fold import RULES_VERSION
from shared.store.mongo.calls import MongoStore
from shared.store.mongo.client import Connection
from tests.integration.worker.conftest import MakeWorker
from tests.support.callfold import run, start
from tests.support.events.large_calls import put_large
from tests.support.events.makers import STARTED, Json, event, raw
from tests.support.events.records import expected, wait_for
from tests.support.events.workload import conversation, interleaved
from tests.support.eventually import eventually, scaled
from tests.support.servers.kafka import publish
from tests.support.store.makers import CALL, document, tokens
from tests.support.worker.memory_worker import folded

Settings = dict[str, Any]


@pytest.fixture
def settings(tmp_path: Path, kafka_bootstrap: str, mongo_uri: str, topics: Topics, database: str) -> Settings:
    return {
        "cwd": tmp_path,
        "kafka_bootstrap": kafka_bootstrap,
        "topic_prefix": topics.prefix,
        "mongo_uri": mongo_uri,
        "mongo_database": database,
    }


def rebuild(settings: Settings, *arguments: str) -> tuple[int, str, str]:
    done = run("rebuild", *arguments, **settings)
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def conversations(name: str, calls: int) -> list[list[Json]]:
    return [conversation(f"{name}-{number}", random.Random(number), 8) for number in range(calls)]


def events(*groups: Sequence[list[Json]]) -> list[Json]:
    return [body for calls in groups for call in calls for body in call]


async def bodies(connection: Connection) -> dict[str, bytes]:
    return {call["_id"]: call["body"] async for call in connection.collection("calls").find()}


async def test_dropped_records_are_rebuilt_while_a_worker_runs(
    settings: Settings, make_worker: MakeWorker, kafka_bootstrap: str, topics: Topics, connection: Connection
) -> None:
    earlier, later = conversations("earlier", 60), conversations("later", 20)
    make_worker().start().wait_until_ready()
    await publish(kafka_bootstrap, topics, interleaved(earlier))
    await wait_for(connection, expected(events(earlier)))
    kept = await bodies(connection)

    await connection.collection("calls").drop()
    await publish(kafka_bootstrap, topics, interleaved(later))
    code, out, error = await asyncio.to_thread(rebuild, settings)
    await wait_for(connection, expected(events(earlier, later)))

    again = await bodies(connection)
    assert (code, error) == (0, "")
    assert re.fullmatch(r"\d+ calls, \d+ rebuilt, 0 broken(, \d+ left to the workers)?\n", out)
    assert {call: again[call] for call in kept} == kept


async def test_an_interrupted_run_prints_how_to_continue(settings: Settings, connection: Connection) -> None:
    calls = [f"org-789/call-{number}" for number in range(3_000)]
    ends = [raw(event("call.ended", call=call.split("/")[1])) for call in calls]
    await MongoStore(connection).insert([document(call, content=end) for call, end in zip(calls, ends, strict=True)])
    final = {"state": "final"}

    running = start("rebuild", **settings)
    await eventually(lambda: _more_than(connection, 400))
    running.send_signal(signal.SIGINT)
    _, error = await asyncio.to_thread(running.communicate, timeout=scaled(60))
    done = await connection.collection("calls").count_documents(final)
    after = re.search(r"; continue with --after (\S+)$", error.decode())
    assert after is not None, error
    code, out, _ = await asyncio.to_thread(rebuild, settings, "--after", after[1])

    assert running.returncode == 130
    assert 400 < done < len(calls)
    again = int(out.split()[0]) - (len(calls) - done)
    assert code == 0
    assert 0 <= again <= 200  # some or all of the interrupted page may have been done
    assert await connection.collection("calls").count_documents(final) == len(calls)


async def test_records_of_version_1_are_brought_to_the_present_rules(
    settings: Settings, connection: Connection
) -> None:
    store = MongoStore(connection)
    started = event("call.started", direction="inbound")
    hung_up = event("call.ended", at=STARTED + 300_000)
    unanswered = event("call.ended", at=STARTED + 301_000, disconnection_reason="no_answer", leg_id="desk")
    await put_as_version_1(store, [started, hung_up, unanswered], disconnection_reason="no_answer", call_duration=301)
    calls = connection.collection("calls")
    await calls.update_one({"_id": CALL}, {"$unset": {"problem_count": "", "problem_kinds": ""}})

    first = await asyncio.to_thread(rebuild, settings, "--outdated")
    again = await asyncio.to_thread(rebuild, settings, "--outdated")

    document = await calls.find_one({"_id": CALL})
    assert document is not None
    assert [first, again] == [(0, "1 calls, 1 rebuilt, 0 broken\n", ""), (0, "1 calls, 0 rebuilt, 0 broken\n", "")]
    assert (document["state"], document["rules_version"], document["problem_count"]) == ("final", RULES_VERSION, 0)
    assert (document["disconnection_reason"], document["call_duration"]) == ("user_hangup", 300)
    assert zstandard.decompress(document["body"]) == folded(started, hung_up, unanswered)


async def put_as_version_1(store: MongoStore, bodies: list[Json], **fields: Any) -> None:
    """Store a final call as version 1 did; `fields` of its record are those that the present rules fold differently."""
    await put_large(store, bodies)
    (lease,) = await store.lease([CALL], next(tokens))
    done = await fold_call(store, lease, (await store.read([CALL]))[CALL], load())
    record: Any = {**done.result.record, **fields}
    rendered = render(record)
    result = replace(done.result, record=record, body=rendered.body, etag=rendered.etag, rules_version=1)
    await store.store_results([(lease, result)])


async def _more_than(connection: Connection, calls: int) -> bool:
    return bool(await connection.collection("calls").count_documents({"state": "final"}) > calls)


def test_a_call_that_does_not_exist_is_one_line(settings: Settings) -> None:
    code, out, error = rebuild(settings, "--organization", "org-789", "--call", "none")

    assert (code, out, error) == (1, "", "callfold: the log has no events of a call org-789/none\n")
