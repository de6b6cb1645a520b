"""How many operations a batch costs, by MongoDB's profiler: the number must not depend on the content of the batch."""

from collections import Counter

import pytest

from services.worker.folding.schedule import FoldSchedule
from services.worker.ingest.write_batch import BatchWriter
from services.worker.memory import MemoryPublisher
from shared.store.mongo.calls import MongoStore
from shared.store.mongo.client import Connection
from tests.support.events.makers import event
from tests.support.store.makers import LOG_ID_HMAC_KEY
from tests.support.worker.memory_worker import DEAD_LETTER, PARTITIONS, Received, received

CALLS = 300


async def operations(connection: Connection) -> Counter[str]:
    """Return the operations since the profiler was turned on, by kind; each update of a bulk counts."""
    database = connection.collection("calls").database
    return Counter(
        [each["op"] async for each in database["system.profile"].find({"ns": {"$not": {"$regex": "system"}}})]
    )


def records(kind: str, start: int) -> list[Received]:
    """Return six events of each call, call after call."""
    return [received(event(kind, call=f"call-{number // 6}"), offset=start + number) for number in range(6 * CALLS)]


@pytest.fixture
async def batch_writer(connection: Connection) -> BatchWriter:
    store = MongoStore(connection)
    await store.prepare()
    await connection.collection("calls").database.command("profile", 2)
    return BatchWriter(
        store,
        MemoryPublisher(),
        FoldSchedule(),
        dead_letter_topic=DEAD_LETTER,
        partitions=lambda: PARTITIONS,
        log_id_hmac_key=LOG_ID_HMAC_KEY,
    )


async def test_a_batch_is_one_insert_one_query_and_the_updates_that_it_needs(
    connection: Connection, batch_writer: BatchWriter
) -> None:
    await batch_writer.write(records("call.started", 0))
    first = await operations(connection)
    await batch_writer.write(records("call.note", 6 * CALLS))
    then = await operations(connection)

    assert first == Counter(insert=1, query=1, update=CALLS)
    assert then - first == Counter(insert=1, query=1)  # a known live call needs no update
