"""What every place for inferred ends does: memory, and the telephony topic."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass

import pytest

from deploy.local.ports import HOST, free_port
from services.worker.consumer.topic_setup import Wanted, declare
from services.worker.maintenance.inferred_end import InferredEnd, inferred_end, open_call
from services.worker.maintenance.telephony import InferredEndPublisher, KafkaInferredEndPublisher, MemoryInferredEnds
from services.worker.runtime.retry import retry_until_available
from shared.contract.envelope import Event, decode
from shared.contract.topics import Topics
from shared.kafka.access import KafkaAccess
from shared.kafka.errors import KafkaUnavailable
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
class Place:
    """Where ends go, and how to see what has come there."""

    telephony: InferredEndPublisher
    read: Callable[[], Awaitable[list[InferredEnd]]]


@pytest.fixture(params=["memory", "kafka"])
async def place(request: pytest.FixtureRequest) -> AsyncIterator[Place]:
    if request.param == "memory":
        memory = MemoryInferredEnds()

        async def published() -> list[InferredEnd]:
            return memory.published

        yield Place(memory, published)
        return
    bootstrap, topics = request.getfixturevalue("kafka_bootstrap"), Topics(request.getfixturevalue("name"))
    access = KafkaAccess(bootstrap)
    await retry_until_available("kafka", lambda: declare(access, topics, Wanted(PARTITIONS, 1)), KafkaUnavailable)
    kafka = KafkaInferredEndPublisher(access, topics.telephony)
    yield Place(kafka, lambda: _read(bootstrap, topics))
    await kafka.stop()


async def _read(bootstrap: str, topics: Topics) -> list[InferredEnd]:
    found = await records(bootstrap, topics.telephony)
    # As any producer of the call would have it: so the worker that owns the call gets its end too.
    assert all(record.partition == partition_of(record.key.decode(), PARTITIONS) for record in found)
    assert all(isinstance(decode(record.value, record.headers), Event) for record in found)
    return [InferredEnd(record.key.decode(), record.value) for record in found]


async def test_what_was_published_is_there(place: Place) -> None:
    await place.telephony.publish(ENDS)

    assert sorted(await place.read(), key=ENDS.index) == ENDS


async def test_published_again_it_is_there_again(place: Place) -> None:
    await place.telephony.publish(ENDS[:1])
    await place.telephony.publish(ENDS[:1])

    assert await place.read() == ENDS[:1] * 2


async def test_a_broker_that_is_away_is_said_to_be() -> None:
    telephony = KafkaInferredEndPublisher(KafkaAccess(f"{HOST}:{free_port()}"), Topics().telephony)

    with pytest.raises(KafkaUnavailable):
        await telephony.publish(ENDS)

    await telephony.stop()
