"""`callfold rebuild` on real servers, while a worker runs."""

import asyncio
import os
import random
import re
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from shared.contract.topics import Topics
from shared.store.mongo.calls import MongoStore
from shared.store.mongo.client import Connection
from tests.integration.worker.conftest import MakeWorker
from tests.support.events.makers import Json, event, raw
from tests.support.events.records import expected, wait_for
from tests.support.events.workload import conversation, interleaved
from tests.support.eventually import eventually, scaled
from tests.support.servers.kafka import publish
from tests.support.store.makers import document

CALLFOLD = Path(sys.executable).with_name("callfold")


class Rebuild:
    """Runs the command."""

    def __init__(self, folder: Path, **settings: str) -> None:
        self._folder = folder
        self._environment = os.environ | {f"CALLFOLD_{name.upper()}": value for name, value in settings.items()}

    def start(self, *arguments: str) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [CALLFOLD, "rebuild", *arguments],
            cwd=self._folder,
            env=self._environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def __call__(self, *arguments: str) -> tuple[int, str, str]:
        running = self.start(*arguments)
        out, said = running.communicate(timeout=scaled(120))
        return running.returncode, out, said


@pytest.fixture
def rebuild(tmp_path: Path, kafka_bootstrap: str, mongo_uri: str, topics: Topics, database: str) -> Rebuild:
    return Rebuild(
        tmp_path,
        kafka_bootstrap=kafka_bootstrap,
        topic_prefix=topics.prefix,
        mongo_uri=mongo_uri,
        mongo_database=database,
    )


def told(name: str, calls: int) -> list[list[Json]]:
    return [conversation(f"{name}-{number}", random.Random(number), 8) for number in range(calls)]


def events(*groups: Sequence[list[Json]]) -> list[Json]:
    return [body for calls in groups for call in calls for body in call]


async def bodies(connection: Connection) -> dict[str, str]:
    return {call["_id"]: call["body"] async for call in connection.collection("calls").find()}


async def test_after_the_records_are_dropped_they_are_rebuilt_while_a_worker_runs(
    rebuild: Rebuild, make_worker: MakeWorker, kafka_bootstrap: str, topics: Topics, connection: Connection
) -> None:
    earlier, later = told("earlier", 60), told("later", 20)
    make_worker().start().wait_until_ready()
    await publish(kafka_bootstrap, topics, interleaved(earlier))
    await wait_for(connection, expected(events(earlier)))
    kept = await bodies(connection)

    await connection.collection("calls").drop()
    await publish(kafka_bootstrap, topics, interleaved(later))
    code, out, said = await asyncio.to_thread(rebuild)
    await wait_for(connection, expected(events(earlier, later)))

    again = await bodies(connection)
    assert (code, said) == (0, "")
    assert re.fullmatch(r"\d+ calls, \d+ rebuilt, 0 broken(, \d+ left to the workers)?\n", out)
    assert {call: again[call] for call in kept} == kept


async def test_a_run_that_is_interrupted_says_how_to_go_on(rebuild: Rebuild, connection: Connection) -> None:
    calls = [f"org-789/call-{number}" for number in range(3_000)]
    ends = [raw(event("call.ended", call=call.split("/")[1])) for call in calls]
    await MongoStore(connection).insert([document(call, content=end) for call, end in zip(calls, ends, strict=True)])
    final = {"state": "final"}

    running = rebuild.start()
    await eventually(lambda: _more_than(connection, 400))
    running.send_signal(signal.SIGINT)
    _, said = await asyncio.to_thread(running.communicate, timeout=scaled(60))
    done = await connection.collection("calls").count_documents(final)
    go_on = re.search(r"; go on with --after (\S+)$", said)
    assert go_on is not None, said
    code, out, _ = await asyncio.to_thread(rebuild, "--after", go_on[1])

    assert running.returncode == 130
    assert 400 < done < len(calls)
    again = int(out.split()[0]) - (len(calls) - done)
    assert code == 0
    assert 0 <= again <= 200  # of the page under way, some or all may have been done
    assert await connection.collection("calls").count_documents(final) == len(calls)


async def _more_than(connection: Connection, calls: int) -> bool:
    return bool(await connection.collection("calls").count_documents({"state": "final"}) > calls)


def test_a_call_that_never_was_costs_one_line(rebuild: Rebuild) -> None:
    code, out, said = rebuild("--organization", "org-789", "--call", "none")

    assert (code, out, said) == (1, "", "callfold: the log holds nothing of a call org-789/none\n")
