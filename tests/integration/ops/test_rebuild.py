"""`callfold rebuild` on real servers, while a worker runs."""

import asyncio
import random
import re
import signal
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from shared.contract.topics import Topics
from shared.store.mongo.calls import MongoStore
from shared.store.mongo.client import Connection
from tests.integration.worker.conftest import MakeWorker
from tests.support.callfold import run, start
from tests.support.events.makers import Json, event, raw
from tests.support.events.records import expected, wait_for
from tests.support.events.workload import conversation, interleaved
from tests.support.eventually import eventually, scaled
from tests.support.servers.kafka import publish
from tests.support.store.makers import document

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


async def bodies(connection: Connection) -> dict[str, str]:
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


async def _more_than(connection: Connection, calls: int) -> bool:
    return bool(await connection.collection("calls").count_documents({"state": "final"}) > calls)


def test_a_call_that_does_not_exist_is_one_line(settings: Settings) -> None:
    code, out, error = rebuild(settings, "--organization", "org-789", "--call", "none")

    assert (code, out, error) == (1, "", "callfold: the log has no events of a call org-789/none\n")
