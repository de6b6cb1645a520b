"""Kafka that is unavailable when Faust connects."""

import asyncio

from deploy.local.ports import HOST, free_port
from deploy.local.servers.process import Server
from deploy.local.servers.proxy import Proxy
from shared.process import metrics
from tests.support.eventually import eventually
from tests.support.worker.unstarted_consumer import finalized


def waits_for_kafka() -> bool:
    value: float = metrics.DEPENDENCY_UNAVAILABLE.labels("kafka")._value.get()  # noqa: SLF001 - prometheus has no other way
    return value == 1


async def test_the_consumer_waits_for_kafka(kafka: Server) -> None:
    port = free_port()
    thread = finalized(kafka_bootstrap=f"{HOST}:{port}").consumer._thread  # noqa: SLF001 - Faust's
    starting = asyncio.create_task(thread.start())
    await eventually(waits_for_kafka)

    with Proxy(port, kafka.port):
        await starting
        await eventually(lambda: not waits_for_kafka())

    assert not thread.crashed
    await thread.stop()


async def test_a_kafka_that_does_not_answer_the_connection_is_reported(kafka: Server) -> None:
    with Proxy(free_port(), kafka.port) as proxy:
        proxy.path().stalled = True
        thread = finalized(kafka_bootstrap=f"{HOST}:{proxy.port}").consumer._thread  # noqa: SLF001 - Faust's
        starting = asyncio.create_task(thread.start())
        await eventually(waits_for_kafka)

        proxy.path().heal()
        await starting
        await eventually(lambda: not waits_for_kafka())

    assert not thread.crashed
    await thread.stop()
