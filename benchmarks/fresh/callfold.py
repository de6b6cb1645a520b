"""Our own pipeline: worker and API as they run in production, the API asked with a key."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import orjson
from pymongo.collection import Collection

from benchmarks.fresh import asking
from benchmarks.fresh.load import CALLS_A_PHASE, GOING_ON, ORGANIZATION, WORKLOAD
from benchmarks.fresh.phase import Subject
from benchmarks.ingest.callfold import workers
from benchmarks.stage import Stage
from shared.config.mongo_access import MongoAccess
from shared.store.api_keys import new_key
from shared.store.mongo.api_keys import MongoApiKeys
from shared.store.mongo.client import Connection
from tests.support.api.client import PEPPER
from tests.support.api.server import ApiServer
from tests.support.worker.process import WorkerProcess

NAME = "callfold"
PARTITIONS = 12

_CHECKED = 200


@asynccontextmanager
async def running(stage: Stage) -> AsyncIterator[Subject]:
    """Run one worker and one API on topics and a database of their own."""
    name, topics = stage.name("callfold"), await stage.topics(PARTITIONS)
    database = stage.database(name)
    (worker,) = workers(stage, topics, name, 1, PARTITIONS)
    with worker, ApiServer(stage.folder / name, stage.mongo.uri, name) as api:
        asked = {asking.URL: api.address, **await _key(stage, name)}
        pids = {"worker": worker.pid, "api": api.pid}
        yield Subject(NAME, topics, asked, lambda: _written(worker), pids)
        assert _logged(database["call_events"]) == _written(worker), "the log lacks what the worker says that it wrote"
        await asyncio.to_thread(_check_records, database["calls"])
    stage.client.drop_database(name)


def _written(worker: WorkerProcess) -> int:
    """Return how many events are written, by the worker's word: to count the log would take longer than it grows."""
    return int(worker.metric("callfold_events_ingested_total"))


def _logged(log: Collection[dict[str, Any]]) -> int:
    (found,) = log.aggregate([{"$group": {"_id": None, "events": {"$sum": {"$size": "$events"}}}}])
    return int(found["events"])


def _check_records(calls: Collection[dict[str, Any]]) -> None:
    """Compare some records with the reference fold, of calls that were published from their beginning."""
    for found in calls.aggregate([{"$match": {"state": "final"}}, {"$sample": {"size": _CHECKED}}]):
        number = int(found["_id"].rpartition("-")[2])
        if number % CALLS_A_PHASE >= GOING_ON:
            assert orjson.loads(found["body"]) == WORKLOAD.expected(number)[1], f"{found['_id']} is wrong"


async def _key(stage: Stage, database: str) -> dict[str, str]:
    key, secret = new_key(ORGANIZATION, PEPPER.encode())
    connection = Connection(MongoAccess(stage.mongo.uri), database)
    await MongoApiKeys(connection).add(key)
    await connection.close()
    return {asking.KEY: key.api_key, asking.SECRET: secret}
