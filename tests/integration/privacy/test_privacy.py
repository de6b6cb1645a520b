"""What opting out takes is nowhere but in Kafka and, until the call is quiet, in MongoDB, whatever goes wrong.

Every field that opting out takes has a mark that no other run has. The call's events come with invalid records, while
MongoDB refuses writes, and to a fold that fails; then it is read in every way that fails.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from deploy.local.ports import HOST
from shared.contract.topics import Topics
from shared.store.api_keys import new_key
from shared.store.mongo.api_keys import MongoApiKeys
from shared.store.mongo.client import Connection
from shared.store.states import State
from tests.integration.privacy.opted_out import Marks, invalid, large, whole, with_wrong_fields
from tests.integration.worker.conftest import MakeWorker
from tests.support.api.client import PEPPER
from tests.support.api.server import ApiServer
from tests.support.callfold import start
from tests.support.events.makers import raw
from tests.support.eventually import eventually, scaled
from tests.support.servers.failing_mongo import READS, FailingMongo, NamedError
from tests.support.servers.kafka import Message, message, records, send
from tests.support.traces import Traces
from tests.support.worker.process import WorkerProcess

pytestmark = pytest.mark.timeout(300)

ORGANIZATION = "org-789"
CALL, LARGE, DAMAGED = "private", "large", "damaged"


@dataclass
class Run:
    """The programs of one test, and what is found of them."""

    worker: WorkerProcess
    api: ApiServer
    traces: Traces
    mark: Marks
    settings: dict[str, str]
    folder: Path
    headers: dict[str, str]

    def watch(self) -> None:
        self.traces.watch(self.worker.pid)
        self.traces.watch(self.api.pid)

    async def callfold(self, *arguments: str, sent: bytes = b"") -> tuple[int, str]:
        """Run the command to its end; return its exit status and output."""
        process = start(*arguments, cwd=self.folder, **self.settings)
        done = asyncio.create_task(asyncio.to_thread(process.communicate, sent, scaled(120)))
        while not done.done():
            self.traces.watch(process.pid)
            await asyncio.wait([done], timeout=0.2)
        output, errors = await done
        self.traces.look(f"standard output of callfold {arguments[0]}", output)
        self.traces.look(f"standard error of callfold {arguments[0]}", errors)
        return process.returncode, output.decode()

    async def ask(
        self, path: str, headers: Mapping[str, str] | None = None, method: str = "GET", sent: bytes = b""
    ) -> int:
        """Return the status of a response, after a look at all of it."""
        async with httpx.AsyncClient(trust_env=False, timeout=scaled(30)) as client:
            url = f"http://{HOST}:{self.api.port}{path}"
            answer = await client.request(method, url, content=sent, headers=self.headers | dict(headers or {}))
        self.traces.look(f"response {answer.status_code} to {method} {path[:40]}", answer.content)
        self.traces.look(f"headers of response {answer.status_code}", str(answer.headers).encode())
        return answer.status_code


@pytest.fixture
async def run(
    *,
    make_worker: MakeWorker,
    api: ApiServer,
    kafka_bootstrap: str,
    topics: Topics,
    connection: Connection,
    failing: FailingMongo,
    tmp_path: Path,
) -> Run:
    mark = Marks()
    traces = Traces(tmp_path, (mark.word.encode(),), (mark.number.encode(),))
    key, secret = new_key(ORGANIZATION, PEPPER.encode())
    await MongoApiKeys(connection).add(key)
    settings = {
        "kafka_bootstrap": kafka_bootstrap,
        "topic_prefix": topics.prefix,
        "mongo_uri": failing.uri,
        "mongo_database": topics.prefix,
    }
    worker = make_worker().start().wait_until_ready()
    return Run(worker, api, traces, mark, settings, tmp_path, {"X-API-KEY": key.api_key, "X-API-SECRET": secret})


async def test_what_opting_out_takes_is_in_no_log_process_file_or_error(
    run: Run, failing: FailingMongo, topics: Topics, kafka_bootstrap: str, connection: Connection
) -> None:
    await damage(connection, run.mark)
    await publish_while_mongodb_refuses(run, failing, topics, connection)
    await settle(connection)

    await read_in_every_way(run)
    await use_every_command(run)
    run.watch()
    run.worker.stop()
    run.api.stop()
    run.traces.look_at_files()

    for record in await records(kafka_bootstrap, topics.dead_letter):
        detail = dict(record.headers)["detail"]
        run.traces.look(f"detail of a dead letter: {detail!r}", detail)
    assert run.traces.found == {}
    assert {run.worker.pid, run.api.pid} < run.traces.watched
    assert "call_broken" in run.worker.written()
    assert CALL not in run.api.log.read_text()


async def damage(connection: Connection, mark: Marks) -> None:
    """Put documents into the log of a call that make its fold fail on private content."""
    for number, events in enumerate(([mark.word], 5, [mark.word.encode()], [{mark.word: mark.word}])):
        _id = f"{ORGANIZATION}/{DAMAGED}/t/0/0-0-1-1-{number}"
        await connection.collection("call_events").insert_one({"_id": _id, "events": events})


@asynccontextmanager
async def refusing(connection: Connection) -> AsyncIterator[None]:
    """Let MongoDB refuse each document of the event log: the error that the driver raises quotes them."""
    log = connection.collection("call_events")
    await log.database.command({"collMod": log.name, "validator": {"never": {"$exists": True}}})
    try:
        yield
    finally:
        await log.database.command({"collMod": log.name, "validator": {}})


async def publish_while_mongodb_refuses(
    run: Run, failing: FailingMongo, topics: Topics, connection: Connection
) -> None:
    events = [each for call in (CALL, DAMAGED) for each in (*whole(call), *with_wrong_fields(call))] + large(LARGE)
    sent: list[Message] = [message(body, topics) for body in events] + invalid(CALL, topics)
    async with refusing(connection):
        await send(run.settings["kafka_bootstrap"], [each | {"value": run.mark(each["value"])} for each in sent])
        await eventually(lambda: "codes [121]" in run.worker.written())
        run.watch()
    async with failing.failing(NamedError.OUT_OF_DISK_SPACE, READS):
        assert await run.ask(f"/api/calls/{CALL}") == httpx.codes.SERVICE_UNAVAILABLE
        assert (await run.callfold("get", ORGANIZATION, CALL))[0] == 1


async def settle(connection: Connection) -> None:
    """Return when all calls are folded."""
    calls = connection.collection("calls")
    wanted = {CALL: State.FINAL, LARGE: State.LIVE, DAMAGED: State.BROKEN}
    folded = [{"_id": f"{ORGANIZATION}/{call}", "state": state} for call, state in wanted.items()]

    async def all_folded() -> bool:
        return bool(await calls.count_documents({"$or": folded}) == len(folded))

    await eventually(all_folded)


async def read_in_every_way(run: Run) -> None:
    """Read the calls, and make every kind of error with a mark in what is wrong."""
    word = run.mark.word
    status = {call: await run.ask(f"/api/calls/{call}") for call in (CALL, LARGE, DAMAGED, "nobody")}
    status["details"] = await run.ask(f"/api/calls/{CALL}/details")
    status["secret"] = await run.ask(f"/api/calls/{CALL}", {"X-API-SECRET": word})
    status["method"] = await run.ask(f"/api/calls/{CALL}", method="POST", sent=word.encode())
    status["path"] = await run.ask(f"/api/calls/{CALL}/{word}")
    status["url"] = await run.ask(f"/api/calls/{CALL}?said={word * 400}")
    status["head"] = await run.ask(f"/api/calls/{CALL}", {"X-Said": word * 800})

    assert status == {
        CALL: 200,
        LARGE: 200,
        DAMAGED: 500,
        "nobody": 404,
        "details": 200,
        "secret": 401,
        "method": 405,
        "path": 404,
        "url": 414,
        "head": 431,
    }


async def use_every_command(run: Run) -> None:
    bodies = [raw(body) for body in (*whole(CALL), *with_wrong_fields(CALL))]
    lines = b"\n".join(run.mark(each) for each in (*bodies, *(each["value"] for each in invalid(CALL, Topics("t")))))

    for arguments in (
        ("get", "--details", ORGANIZATION, CALL),
        ("get", ORGANIZATION, DAMAGED),
        ("events", "--json", ORGANIZATION, CALL),
        ("events", ORGANIZATION, DAMAGED),
        ("problems", "--json"),
        ("dead-letters", "list", "--json"),
    ):
        await run.callfold(*arguments)
    assert (await run.callfold("validate", "-", sent=lines))[0] == 1
    assert (await run.callfold("publish", "-", sent=lines))[0] == 1
