"""Every publisher of inferred ends: in memory, and on the telephony topic."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass

import pytest

from deploy.local.ports import HOST, free_port
from services.worker.consumer.topic_setup import KafkaUnavailable, Wanted, declare
from services.worker.maintenance.inferred_end import InferredEnd, inferred_end, open_call
from services.worker.maintenance.telephony import InferredEndPublisher, KafkaInferredEndPublisher, MemoryInferredEnds
from services.worker.runtime.retry import retry_until_available
from shared.contract.envelope import Event, decode
from shared.contract.topics import Topics
from shared.kafka.access import KafkaAccess
from shared.kafka.partitioner import partition_of
from tests.support.events.makers import decoded, event
from tests.support.fixtures import PARTITIONS
from tests.support.servers.kafka import records


def end_of(call: str) -> InferredEnd:
    found = open_call(decoded([event("call.started", call=call)]))
    assert found is not None
    return inferred_end(found)


ENDS = [end_of(f"call-{number}") for number in range(20)]


@dataclass
class Environment:
    """A publisher, and how to read what it published."""

    publisher: InferredEndPublisher
    read: Callable[[], Awaitable[list[InferredEnd]]]


@pytest.fixture(params=["memory", "kafka"])
async def env(request: pytest.FixtureRequest) -> AsyncIterator[Environment]:
    if request.param == "memory":
        memory = MemoryInferredEnds()

        async def published() -> list[InferredEnd]:
            return memory.published

        yield Environment(memory, published)
        return
    bootstrap, topics = request.getfixturevalue("kafka_bootstrap"), Topics(request.getfixturevalue("name"))
    access = KafkaAccess(bootstrap)
    await retry_until_available("kafka", lambda: declare(access, topics, Wanted(PARTITIONS, 1)), KafkaUnavailable)
    kafka = KafkaInferredEndPublisher(access, topics.telephony)
    yield Environment(kafka, lambda: _read(bootstrap, topics))
    await kafka.stop()


async def _read(bootstrap: str, topics: Topics) -> list[InferredEnd]:
    found = await records(bootstrap, topics.telephony)
    # In the partition of any producer of the call, so that the worker that owns the call receives its end.
    assert all(record.partition == partition_of(record.key.decode(), PARTITIONS) for record in found)
    assert all(isinstance(decode(record.value, record.headers), Event) for record in found)
    return [InferredEnd(record.key.decode(), record.value) for record in found]


async def test_published_ends_are_there(env: Environment) -> None:
    await env.publisher.publish(ENDS)

    assert sorted(await env.read(), key=ENDS.index) == ENDS


async def test_an_end_published_twice_is_there_twice(env: Environment) -> None:
    await env.publisher.publish(ENDS[:1])
    await env.publisher.publish(ENDS[:1])

    assert await env.read() == ENDS[:1] * 2


async def test_an_unreachable_broker_is_unavailable() -> None:
    publisher = KafkaInferredEndPublisher(KafkaAccess(f"{HOST}:{free_port()}"), Topics().telephony)

    with pytest.raises(KafkaUnavailable):
        await publisher.publish(ENDS)

    await publisher.stop()
