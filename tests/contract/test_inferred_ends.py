"""What every publisher of inferred ends does: in memory, and on the telephony topic."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass

import pytest

from deploy.local.ports import HOST, free_port
from services.worker.consumer.topic_setup import Wanted, declare
from services.worker.maintenance.idle_calls import KafkaInferredEnds, end_record
from services.worker.maintenance.inferred_end import open_call
from services.worker.memory import MemoryPublisher
from services.worker.runtime.retry import retry_until_available
from shared.contract.decode_event import Event, decode
from shared.contract.topics import Topics
from shared.kafka.access import KafkaAccess
from shared.kafka.errors import KafkaUnavailable
from shared.kafka.partitioner import partition_of
from shared.kafka.producer import OutgoingRecord, RecordPublisher
from tests.support.events.makers import decoded, event
from tests.support.fixtures import PARTITIONS
from tests.support.servers.kafka import records


def end_of(number: int, topic: str) -> OutgoingRecord:
    call = open_call(decoded([event("call.started", call=f"call-{number}")]))
    assert call is not None
    return end_record(call, topic)


@dataclass
class Destination:
    """Where ends are published, twenty ends to publish, and how to read what is there."""

    publisher: RecordPublisher
    ends: list[OutgoingRecord]
    read: Callable[[], Awaitable[list[OutgoingRecord]]]


@pytest.fixture(params=["memory", "kafka"])
async def destination(request: pytest.FixtureRequest) -> AsyncIterator[Destination]:
    topics = Topics(request.getfixturevalue("name"))
    ends = [end_of(number, topics.telephony) for number in range(20)]
    if request.param == "memory":
        memory = MemoryPublisher()

        async def published() -> list[OutgoingRecord]:
            return memory.published

        yield Destination(memory, ends, published)
        return
    bootstrap = request.getfixturevalue("kafka_bootstrap")
    access = KafkaAccess(bootstrap)
    await retry_until_available("kafka", lambda: declare(access, topics, Wanted(PARTITIONS, 1)), KafkaUnavailable)
    kafka = KafkaInferredEnds(access)
    yield Destination(kafka, ends, lambda: _read(bootstrap, topics))
    await kafka.stop()


async def _read(bootstrap: str, topics: Topics) -> list[OutgoingRecord]:
    delivered = await records(bootstrap, topics.telephony)
    # As any producer of the call partitions them: the worker that owns the call gets its end too.
    assert all(record.partition == partition_of(record.key.decode(), PARTITIONS) for record in delivered)
    assert all(isinstance(decode(each.value, each.headers, arrival=each.timestamp), Event) for each in delivered)
    return [OutgoingRecord(topics.telephony, each.key, each.value, tuple(each.headers)) for each in delivered]


async def test_what_is_published_is_there(destination: Destination) -> None:
    await destination.publisher.publish(destination.ends)

    assert sorted(await destination.read(), key=destination.ends.index) == destination.ends


async def test_what_is_published_again_is_there_again(destination: Destination) -> None:
    await destination.publisher.publish(destination.ends[:1])
    await destination.publisher.publish(destination.ends[:1])

    assert await destination.read() == destination.ends[:1] * 2


async def test_a_broker_that_does_not_answer_is_reported_as_unavailable() -> None:
    publisher = KafkaInferredEnds(KafkaAccess(f"{HOST}:{free_port()}"))

    with pytest.raises(KafkaUnavailable):
        await publisher.publish([end_of(1, Topics().telephony)])

    await publisher.stop()
