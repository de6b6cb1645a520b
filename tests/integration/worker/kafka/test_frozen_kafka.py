"""A broker that is frozen, or cannot be reached, under a worker: what it answers and reports meanwhile."""

import asyncio
import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from deploy.local.ports import HOST, free_port
from services.worker.consumer.topic_setup import Wanted, declare
from services.worker.runtime.retry import retry_until_available
from shared.config.mongo_access import MongoAccess
from shared.contract.topics import Topics
from shared.kafka.access import KafkaAccess
from shared.kafka.errors import KafkaUnavailable
from shared.store.mongo.client import Connection
from tests.support.events.makers import event
from tests.support.eventually import eventually, scaled
from tests.support.servers.kafka import publish
from tests.support.servers.proxied_kafka import ProxiedKafka
from tests.support.worker.process import WorkerProcess

SEEN_WITHIN = 5.0
UNAVAILABLE = 'callfold_dependency_unavailable{dependency="kafka"}'
GRACE_SECONDS = 4


@pytest.fixture(scope="module")
def own_kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ProxiedKafka]:
    with ProxiedKafka(tmp_path_factory.mktemp("kafka"), free_port()) as server:
        yield server


@pytest.fixture
async def topics(own_kafka: ProxiedKafka, name: str) -> Topics:
    topics, access = Topics(name), KafkaAccess(own_kafka.address)
    await retry_until_available("kafka", lambda: declare(access, topics, Wanted(3, 1)), KafkaUnavailable)
    return topics


@pytest.fixture
def unstarted(
    own_kafka: ProxiedKafka, mongo_uri: str, topics: Topics, database: str, tmp_path: Path
) -> Iterator[WorkerProcess]:
    # A session that outlives each outage: afterwards the worker is ready without a rebalance.
    worker = WorkerProcess(
        own_kafka.address_for_workers,
        mongo_uri,
        topics,
        database,
        tmp_path,
        session_seconds=60,
        commit_seconds=60,
        grace_seconds=GRACE_SECONDS,
    )
    try:
        yield worker
    finally:
        worker.__exit__()


@pytest.fixture
def worker(unstarted: WorkerProcess) -> WorkerProcess:
    return unstarted.start().wait_until_ready()


@contextmanager
def frozen(kafka: ProxiedKafka) -> Iterator[None]:
    os.kill(kafka.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(kafka.pid, signal.SIGCONT)


@contextmanager
def stalled(kafka: ProxiedKafka) -> Iterator[None]:
    kafka.proxy.path().stalled = True
    try:
        yield
    finally:
        kafka.proxy.path().heal()


@contextmanager
def unreachable(kafka: ProxiedKafka) -> Iterator[None]:
    kafka.proxy.path().refused = True
    kafka.proxy.cut()
    try:
        yield
    finally:
        kafka.proxy.path().heal()


async def healthz(worker: WorkerProcess) -> int:
    async with httpx.AsyncClient(timeout=scaled(2.0)) as client:
        return (await client.get(f"http://{HOST}:{worker.port}/healthz")).status_code


async def missing(worker: WorkerProcess) -> Any:
    async with httpx.AsyncClient(timeout=scaled(2.0)) as client:
        return (await client.get(f"http://{HOST}:{worker.port}/readyz")).json().get("missing")


async def seconds_until(holds: Callable[[], Any]) -> float:
    began = time.monotonic()
    await eventually(holds)
    return time.monotonic() - began


@pytest.mark.parametrize("outage", [frozen, stalled, unreachable])
async def test_readiness_and_the_gauge_know_of_an_outage_within_five_seconds(
    worker: WorkerProcess, own_kafka: ProxiedKafka, outage: Any
) -> None:
    async def both_know() -> bool:
        assert await healthz(worker) == httpx.codes.OK
        return await missing(worker) == "kafka" and worker.metric(UNAVAILABLE) == 1

    with outage(own_kafka):
        took = await seconds_until(both_know)

    assert took < scaled(SEEN_WITHIN)
    await eventually(lambda: worker.ready() and worker.metric(UNAVAILABLE) == 0)


async def test_a_broker_that_answers_slowly_is_available(worker: WorkerProcess, own_kafka: ProxiedKafka) -> None:
    own_kafka.proxy.path().delay = 0.5
    try:
        states = []
        for _ in range(20):
            states.append((await missing(worker), worker.metric(UNAVAILABLE)))
            await asyncio.sleep(0.5)
    finally:
        own_kafka.proxy.path().heal()

    assert set(states) == {(None, 0.0)}


async def test_a_worker_that_starts_while_kafka_is_frozen_is_alive_and_not_ready(
    unstarted: WorkerProcess, own_kafka: ProxiedKafka
) -> None:
    with frozen(own_kafka):
        unstarted.start()
        await eventually(lambda: unstarted.answers() == httpx.codes.SERVICE_UNAVAILABLE)
        alive, lacks = await healthz(unstarted), await missing(unstarted)
        took = await seconds_until(lambda: unstarted.metric(UNAVAILABLE) == 1)

    assert (alive, lacks) == (httpx.codes.OK, "kafka")
    assert took < scaled(SEEN_WITHIN)
    await eventually(lambda: unstarted.ready() and unstarted.metric(UNAVAILABLE) == 0)


async def test_a_worker_that_stops_while_kafka_is_frozen_is_alive_until_its_grace_ends(
    worker: WorkerProcess, own_kafka: ProxiedKafka, topics: Topics
) -> None:
    await publish(own_kafka.address, topics, [event("call.started")])
    await eventually(lambda: worker.events() == 1)

    with frozen(own_kafka):
        began = time.monotonic()
        worker.signal(signal.SIGTERM)
        await asyncio.sleep(GRACE_SECONDS / 2)  # the commit of what is written waits for Kafka
        alive = await healthz(worker)
        await asyncio.to_thread(worker.wait)
        took = time.monotonic() - began

    assert alive == httpx.codes.OK
    assert took < scaled(GRACE_SECONDS + 2)


async def until(connection: Connection) -> dict[int, int]:
    """Return until which arrival each partition is written, as the database has it."""
    return {each["_id"]: each["until"] async for each in connection.collection("watermarks").find({})}


async def test_the_watermarks_advance_while_kafka_answers_and_no_further(
    worker: WorkerProcess, own_kafka: ProxiedKafka, topics: Topics, mongo_uri: str, database: str
) -> None:
    connection = Connection(MongoAccess(mongo_uri), database)
    await eventually(lambda: all_advance(connection, {}))

    idle = await until(connection)
    await eventually(lambda: all_advance(connection, idle))
    with frozen(own_kafka):
        froze = time.time() * 1000
        await eventually(lambda: not worker.ready())
        stopped = await until(connection)
        await asyncio.sleep(3)
        later = await until(connection)
    await eventually(lambda: all_advance(connection, later))
    await publish(own_kafka.address, topics, [event("call.started")])
    published = time.time() * 1000
    await eventually(lambda: all_advance(connection, dict.fromkeys(range(3), int(published))))
    await connection.close()

    assert stopped == later
    assert max(stopped.values()) <= froze
    assert worker.events() == 1


async def all_advance(connection: Connection, before: dict[int, int]) -> bool:
    now = await until(connection)
    return len(now) == 3 and all(value > before.get(partition, 0) for partition, value in now.items())
