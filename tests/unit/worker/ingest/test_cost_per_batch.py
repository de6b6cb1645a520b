"""What a batch costs, counted and not timed, by Faust's real consumer and agent: nothing of it once per event."""

# ruff: noqa: SLF001 - the seam between the worker and Faust is inside Faust

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any

import pytest
from faust.types import TP

from services.worker.consumer.fetch import MAX_CHUNK
from services.worker.worker import Worker
from shared.store.memory.calls import MemoryStore
from tests.support.events.makers import event
from tests.support.eventually import eventually
from tests.support.worker.memory_worker import Received, received, watched
from tests.support.worker.unstarted_consumer import Broker, unstarted

PARTITIONS = 4
OWNED = [TP("calls.transcription", partition) for partition in range(PARTITIONS)]


def events_of(events: int) -> dict[TP, list[Received]]:
    """Return a fetch that brings so many events of each partition, six of each call."""
    bodies = [event("call.note", call=f"call-{number // 6}") for number in range(events)]
    return {
        tp: [received(body, topic=tp.topic, partition=tp.partition, offset=n) for n, body in enumerate(bodies)]
        for tp in OWNED
    }


class Counts:
    """Requests to the store and asyncio tasks, from a fetch until all of it is acknowledged."""

    def __init__(self) -> None:
        self.store: Counter[str] = Counter()
        self.tasks = 0

    async def asked(self, step: str) -> None:
        self.store[step] += 1

    def task(self, loop: asyncio.AbstractEventLoop, coroutine: Any, **named: Any) -> Any:
        self.tasks += 1
        return asyncio.Task(coroutine, loop=loop, **named)


@asynccontextmanager
async def agent(worker: Worker, broker: Broker) -> AsyncIterator[None]:
    """Let one fetch of the broker run through Faust to the worker's agent, as in a started app."""
    app, fetched = worker.app, asyncio.Event()

    async def once() -> None:
        if fetched.is_set():
            await asyncio.Event().wait()
        fetched.set()

    broker.while_fetching = once
    stream = app.topic(*worker.topics.inputs, key_type=bytes, value_type=bytes).stream()
    ingesting = asyncio.create_task(worker.ingest(stream))
    await eventually(lambda: len(app.topics))
    await app.topics._update_indices()
    await app.topics.on_partitions_assigned(set(broker.assignment()))
    app.flow_control.resume()
    worker.consumer.callback = app.topics.on_message
    draining = asyncio.create_task(worker.consumer._drain_messages(SimpleNamespace(_stopped=asyncio.Event())))
    yield
    for task in (draining, ingesting):
        task.cancel()
    await asyncio.wait([draining, ingesting])
    await stream.stop()


async def counted(fetched: Mapping[TP, list[Received]]) -> Counts:
    """Return what it took to write one fetch."""
    counts, broker = Counts(), Broker(dict.fromkeys(OWNED, 0))
    broker.fetches.append(dict(fetched))
    async with unstarted(broker, watched(MemoryStore(), before=counts.asked)) as (worker, _), agent(worker, broker):
        asyncio.get_running_loop().set_task_factory(counts.task)
        await eventually(lambda: worker.consumer._n_acked == sum(map(len, fetched.values())))
        asyncio.get_running_loop().set_task_factory(None)
    return counts


TASKS_OF_A_FETCH = 8
"""At most: Faust makes four; the others are those of the batches that the fetch is written with."""


@pytest.mark.parametrize("events", [1, MAX_CHUNK])
async def test_a_fetch_costs_as_many_tasks_whatever_it_holds(events: int) -> None:
    counts = await counted(events_of(events))

    assert 0 < counts.tasks <= TASKS_OF_A_FETCH


async def test_a_batch_takes_three_requests_to_the_store_however_many_events_and_calls_it_has() -> None:
    counts = await counted(events_of(MAX_CHUNK))

    assert counts.store == {"insert": 1, "read_states": 1, "mark_stale": 1}
