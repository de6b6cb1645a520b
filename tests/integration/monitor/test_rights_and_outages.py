"""Reading from a broker that hides something, and from one that freezes: what is not seen is never a number."""

import os
import signal
import time
from collections.abc import AsyncIterator

import pytest
from confluent_kafka.admin import (
    AclBinding,
    AclOperation,
    AclPermissionType,
    AdminClient,
    ResourcePatternType,
    ResourceType,
)

from deploy.local.ports import free_port
from deploy.local.servers.kafka import KafkaServer
from services.worker.consumer.topic_setup import Wanted, declare
from services.worker.runtime.retry import retry_until_available
from shared.contract.topics import Topics
from shared.kafka.access import KafkaAccess
from shared.kafka.errors import KafkaUnavailable
from shared.lag.models import GroupState, Health
from shared.lag.reader import LagReader
from tests.support.eventually import eventually, scaled
from tests.support.servers.kafka import send

TOPICS = Topics()
HIDDEN_GROUP = "another-team"


class StrictKafka(KafkaServer):
    """A broker that asks for a right where one was given to anybody."""

    def _properties(self) -> str:
        return super()._properties() + (
            "authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer\n"
            "allow.everyone.if.no.acl.found=true\n"
        )


@pytest.fixture(scope="module")
async def broker(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[KafkaServer]:
    with StrictKafka(tmp_path_factory.mktemp("kafka"), free_port()) as server:
        access = KafkaAccess(server.address)
        await retry_until_available("kafka", lambda: declare(access, TOPICS, Wanted(1, 1)), KafkaUnavailable)
        yield server


@pytest.fixture
async def reader(broker: KafkaServer) -> AsyncIterator[LagReader]:
    reader = LagReader(KafkaAccess(broker.address), TOPICS.inputs, "callfold")
    await eventually(lambda: reads_well(reader))
    yield reader
    await reader.close()


async def reads_well(reader: LagReader) -> bool:
    return (await reader.read()).kafka is Health.WELL


def allow(broker: KafkaServer, kind: ResourceType, name: str, operation: AclOperation, user: str = "ANONYMOUS") -> None:
    admin = AdminClient({"bootstrap.servers": broker.address})
    who = (f"User:{user}", "*", operation, AclPermissionType.ALLOW)
    rule = AclBinding(kind, name, ResourcePatternType.LITERAL, *who)
    admin.create_acls([rule])[rule].result(timeout=scaled(60))


async def test_a_frozen_broker_is_unavailable_and_read_again_when_it_answers(
    broker: KafkaServer, reader: LagReader
) -> None:
    os.kill(broker.pid, signal.SIGSTOP)
    try:
        begun = time.monotonic()
        frozen = await reader.read()
        took = time.monotonic() - begun
    finally:
        os.kill(broker.pid, signal.SIGCONT)

    assert (frozen.kafka, frozen.group, frozen.partitions) == (Health.UNAVAILABLE, GroupState.UNKNOWN, {})
    assert took < scaled(4)
    await eventually(lambda: reads_well(reader))


@pytest.mark.usefixtures("reader")
async def test_what_may_not_be_seen_is_named_and_the_rest_is_read(broker: KafkaServer) -> None:
    for topic in TOPICS.inputs:
        await send(broker.address, [{"topic": topic, "partition": 0, "value": b"{}"}] * 2)
    allow(broker, ResourceType.TOPIC, TOPICS.telephony, AclOperation.READ)
    allow(broker, ResourceType.TOPIC, TOPICS.transcription, AclOperation.DESCRIBE)
    limited = LagReader(KafkaAccess(broker.address), TOPICS.inputs, "callfold")

    found = await limited.read()
    await limited.close()

    assert (found.kafka, limited.error, found.whole) == (Health.WELL, None, True)
    assert sorted(found.hidden) == [
        f"the records of {TOPICS.transcription}: not authorized",
        f"the retention of {TOPICS.telephony}: not authorized",
        f"the retention of {TOPICS.transcription}: not authorized",
    ]
    readable, unreadable = (found.partitions[topic, 0] for topic in TOPICS.inputs)
    assert (readable.lag, readable.readable, readable.oldest is not None) == (2, True, True)
    assert (unreadable.lag, unreadable.readable, unreadable.oldest) == (2, False, None)
    assert found.retention_ms == {}


async def test_a_group_that_may_not_be_seen_has_no_lag_that_could_be_taken_for_none(
    broker: KafkaServer, reader: LagReader
) -> None:
    allow(broker, ResourceType.GROUP, HIDDEN_GROUP, AclOperation.READ, user="somebody")
    limited = LagReader(KafkaAccess(broker.address), TOPICS.inputs, HIDDEN_GROUP)

    found = await limited.read()
    await limited.close()

    assert (found.kafka, found.group, found.partitions, found.whole) == (Health.WELL, GroupState.UNKNOWN, {}, False)
    assert "the group: not authorized" in found.hidden
    assert await reads_well(reader)
