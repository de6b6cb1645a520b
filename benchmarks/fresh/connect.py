"""Kafka Connect with MongoDB's sink, plain inserts: its collection is asked by the event's id."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from benchmarks.connect.worker import ConnectWorker, Sink
from benchmarks.fresh import asking
from benchmarks.fresh.callfold import PARTITIONS
from benchmarks.fresh.phase import Subject
from benchmarks.stage import Stage

NAME = "Kafka Connect, insert"
_COLLECTION = "events"


@asynccontextmanager
async def running(stage: Stage) -> AsyncIterator[Subject]:
    """Run one worker on topics and a database of their own."""
    name, topics = stage.name("connect"), await stage.topics(PARTITIONS)
    collection = stage.database(name)[_COLLECTION]
    collection.create_index("id")  # nobody reads a collection without one
    sink = Sink(name, stage.kafka.address, topics.inputs, stage.mongo.uri, name, _COLLECTION)
    with ConnectWorker(stage.folder / name, sink) as worker:
        asked = {asking.MONGO: stage.mongo.uri, asking.DATABASE: name, asking.COLLECTION: _COLLECTION}
        yield Subject(NAME, topics, asked, collection.estimated_document_count, {"worker": worker.pid})
    stage.client.drop_database(name)
