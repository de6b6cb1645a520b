"""What a fixed workload costs MongoDB, counted and not timed: operations, and bytes of what is stored per event."""

from collections import Counter
from collections.abc import Iterator
from itertools import count, islice

import pytest

from benchmarks.load.calls import Workload
from shared.calls.leased_folds import LeasedFolds, Outcome
from shared.contract.topics import Topics
from shared.kafka.partitioner import partition_of
from shared.store.mongo.calls import MongoStore
from shared.store.mongo.client import Connection
from tests.support.events.makers import book
from tests.support.store.makers import tokens
from tests.support.store.profiler import operations, profile
from tests.support.worker.memory_worker import PARTITIONS, MemoryWorker, Received

WORKLOAD = Workload(100, 20)
BATCH_EVENTS = 500
BATCHES = -(-WORKLOAD.total // BATCH_EVENTS)

# Five percent above what was measured. Uncompressed, with the turns twice and with words, these were 452 and 941.
MOST_LOG_BYTES = 87
MOST_RECORD_BYTES = 137


def batches() -> Iterator[list[Received]]:
    """Yield the workload in batches, as concurrent calls bring its events."""
    offsets = count()
    records = (
        Received(value, key, partition_of(key.decode(), PARTITIONS), next(offsets), topic=topic)
        for topic, key, value in WORKLOAD.messages(Topics())
    )
    while batch := list(islice(records, BATCH_EVENTS)):
        yield batch


async def bytes_per_event(connection: Connection, collection: str) -> float:
    """Return the size of a collection's documents as BSON, before the storage engine compresses them."""
    sizes = [{"$group": {"_id": None, "bytes": {"$sum": {"$bsonSize": "$$ROOT"}}}}]
    (found,) = [each async for each in connection.collection(collection).aggregate(sizes)]
    return float(found["bytes"]) / WORKLOAD.total


@pytest.fixture
async def drained(connection: Connection) -> Counter[str]:
    """Drain the workload; return the operations that it took."""
    store = MongoStore(connection)
    await store.prepare()
    await profile(connection)
    writer = MemoryWorker(store=store).batch_writer
    for batch in batches():
        await writer.write(batch)
    leases = await store.lease([WORKLOAD.key(number) for number in range(WORKLOAD.calls)], next(tokens))
    outcome = await LeasedFolds(store, book(), renew_seconds=60).fold(leases)
    assert outcome == Outcome(stored=WORKLOAD.calls)
    return await operations(connection)


def test_operations_are_few_for_each_batch_and_each_call(drained: Counter[str]) -> None:
    assert drained["insert"] == BATCHES
    assert drained["query"] <= BATCHES + 2
    assert drained["update"] <= 5 * WORKLOAD.calls  # first seen, grown, ended, leased, stored
    assert set(drained) == {"insert", "query", "update"}


@pytest.mark.usefixtures("drained")
async def test_an_event_takes_few_bytes_in_the_log_and_in_the_record(connection: Connection) -> None:
    log, record = [await bytes_per_event(connection, name) for name in ("call_events", "calls")]

    assert log <= MOST_LOG_BYTES
    assert record <= MOST_RECORD_BYTES
