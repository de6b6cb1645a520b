"""Stopping under load: what is delivered again after a worker stops."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import orjson
from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

from shared.contract.topics import Topics
from shared.store.mongo.client import Connection
from tests.integration.worker.conftest import MakeWorker
from tests.support.events.makers import Json
from tests.support.events.records import expected, wait_for
from tests.support.events.workload import conversations, interleaved
from tests.support.eventually import eventually
from tests.support.servers.kafka import message, producer
from tests.support.worker.process import WorkerProcess

RATE = 1_000
COMMIT_SECONDS = 1.0


@asynccontextmanager
async def load(bootstrap: str, topics: Topics, events: list[Json]) -> AsyncIterator[None]:
    """Publish the events at a steady rate during the block, and the rest at its end."""

    async def publish() -> None:
        async with producer(bootstrap) as made:
            for start in range(0, len(events), RATE // 10):
                await asyncio.gather(
                    *[await made.send(**message(body, topics)) for body in events[start : start + RATE // 10]]
                )
                await asyncio.sleep(0.1)

    publishing = asyncio.create_task(publish())
    yield
    await publishing


async def committed(bootstrap: str, group: str) -> dict[TopicPartition, int]:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        return {part: done.offset for part, done in (await admin.list_consumer_group_offsets(group)).items()}
    finally:
        await admin.close()


async def written(connection: Connection) -> dict[TopicPartition, int]:
    """Return the offset behind the last record of each partition that the log holds."""
    ends: dict[TopicPartition, int] = {}
    async for found in connection.collection("call_events").find({}, {"_id": 1}):
        *_, topic, partition, offsets = found["_id"].split("/")
        part, last = TopicPartition(topic, int(partition)), int(offsets.split("-")[1])
        ends[part] = max(ends.get(part, 0), last + 1)
    return ends


def stopped(worker: WorkerProcess) -> int:
    """Return how many events a worker logged at its stop."""
    lines = [orjson.loads(line) for line in worker.log.read_text().splitlines() if line.startswith("{")]
    events: int = next(line["events"] for line in lines if line["event"] == "stopped")
    return events


async def test_after_the_only_worker_stops_nothing_is_delivered_again(
    make_worker: MakeWorker, kafka_bootstrap: str, topics: Topics, connection: Connection
) -> None:
    events = list(interleaved(conversations(100, 30)))
    worker = make_worker(commit_seconds=COMMIT_SECONDS).start().wait_until_ready()

    async with load(kafka_bootstrap, topics, events):
        await eventually(lambda: worker.events() > RATE)
        status = await asyncio.to_thread(worker.stop)
        left, ends = await committed(kafka_bootstrap, topics.prefix), await written(connection)
    make_worker().start()

    assert status == 0
    assert left == ends
    await wait_for(connection, expected(events))


async def test_one_of_several_workers_that_stops_costs_at_most_one_commit_interval(
    make_worker: MakeWorker, kafka_bootstrap: str, topics: Topics, connection: Connection
) -> None:
    events = list(interleaved(conversations(150, 30)))
    workers = [make_worker(commit_seconds=COMMIT_SECONDS).start() for _ in range(3)]
    for worker in workers:
        worker.wait_until_ready()
    await eventually(lambda: all(worker.metric("callfold_assigned_partitions") == 2 for worker in workers))

    async with load(kafka_bootstrap, topics, events):
        await eventually(lambda: workers[0].events() > RATE / 2)
        status = await asyncio.to_thread(workers[0].stop)
    await wait_for(connection, expected(events))

    again = stopped(workers[0]) + sum(worker.events() for worker in workers[1:]) - len(events)
    assert status == 0
    assert 0 <= again <= RATE * COMMIT_SECONDS
