"""Calls that go on: each brings a burst of six events, and the next one when that is stored, as calls do in life.

What lay in the database before, so many events of each call, is put there without the pipeline.
"""

import asyncio
import time
from collections.abc import Callable, Iterator

import orjson
from confluent_kafka import Producer

from benchmarks.calls import BURST, Workload
from benchmarks.ingest.draining import Drained
from benchmarks.long.pushing import Pushing
from benchmarks.stage import Consumed, Stage, settle
from benchmarks.standing import Crew
from shared.config.mongo_access import MongoAccess
from shared.contract.payloads import TRANSCRIPTION
from shared.contract.topics import Topics
from shared.kafka.partitioner import partition_of
from shared.process.clock import now_ms
from shared.store.ids import documents
from shared.store.models import CallUpdate, SourcePartition
from shared.store.mongo.calls import MongoStore
from shared.store.mongo.client import Connection
from tests.support.worker.process import CONTENT_KEY

CALLS = 10
_BURSTS = 30
_LONGEST_SECONDS = 10.0
_LOOK_SECONDS = 0.002
_LONGEST_WAIT_SECONDS = 30.0


def workload(size: int) -> Workload:
    """Return calls that have `size` events before they bring what is measured, and do not end with it."""
    return Workload(size + 2 * BURST * _BURSTS, CALLS)


async def fold(stage: Stage, crew: Crew, size: int) -> Drained:
    """Have a warm worker write what comes of calls with `size` events, which a live record of them holds."""
    calls = workload(size)
    first = await crew.cleared(calls)
    told = _told(calls, first)
    connection = Connection(MongoAccess(stage.mongo.uri), crew.name)
    store = MongoStore(connection)
    for call, events in told.items():
        partition = partition_of(call.split("/")[1], crew.partitions)
        stretch = SourcePartition(crew.topics.transcription, partition)
        for document in documents(call, stretch, list(enumerate(events[:size])), CONTENT_KEY.encode()):
            await store.insert([document])
        await store.mark_stale([CallUpdate(call, partition, now_ms(), stale=False)])
    await connection.close()
    crew.database.calls.update_many({}, {"$set": {"event_count": size}})
    there = crew.database.call_events.estimated_document_count()
    return await _go_on(
        stage,
        crew.topics,
        _bursts(told, size),
        crew.pids(),
        # A burst is a document: cut in two where a batch ends in it.
        lambda bursts: crew.database.call_events.estimated_document_count() >= there + CALLS * bursts,
    )


async def push(stage: Stage, pushing: Pushing, size: int) -> Drained:
    """Have the same pushed onto documents that have `size` events."""
    told = _told(workload(size), 0)
    for call, events in told.items():
        pushing.database.calls.insert_one({"_id": call, "events": [orjson.loads(each) for each in events[:size]]})
    await settle()
    return await _go_on(
        stage,
        pushing.topics,
        _bursts(told, size),
        {"pipeline": pushing.process.pid},
        lambda bursts: pushing.stored() >= CALLS * BURST * bursts,
    )


def _told(calls: Workload, first: int) -> dict[str, list[bytes]]:
    numbers = range(first, first + CALLS)
    return {calls.key(number): [value for _, value in calls.told(number)] for number in numbers}


def _bursts(told: dict[str, list[bytes]], size: int) -> Iterator[list[bytes]]:
    for start in range(size, size + BURST * _BURSTS, BURST):
        yield [event for events in told.values() for event in events[start : start + BURST]]


async def _go_on(
    stage: Stage, topics: Topics, bursts: Iterator[list[bytes]], pids: dict[str, int], stored: Callable[[int], bool]
) -> Drained:
    producer = Producer({"bootstrap.servers": stage.kafka.address, "partitioner": "murmur2_random", "linger.ms": 2})
    consumed = Consumed(**pids, **stage.servers())
    began = time.time()
    done = events = 0
    for burst in bursts:
        for event in burst:
            _send(producer, topics, event)
        producer.flush()
        done, events = done + 1, events + len(burst)
        async with asyncio.timeout(_LONGEST_WAIT_SECONDS):
            while not stored(done):  # noqa: ASYNC110 - another process writes it
                await asyncio.sleep(_LOOK_SECONDS)
        if time.time() - began > _LONGEST_SECONDS:
            break
    return Drained(events, time.time() - began, consumed.seconds())


def _send(producer: Producer, topics: Topics, event: bytes) -> None:
    body = orjson.loads(event)
    topic = topics.transcription if body["type"] in TRANSCRIPTION else topics.telephony
    producer.produce(topic, event, body["subject"].encode())
