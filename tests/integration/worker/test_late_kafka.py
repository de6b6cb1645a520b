"""Kafka that is unavailable when Faust connects."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from deploy.local.ports import HOST, free_port
from deploy.local.servers.process import Server
from services.worker.worker import Worker
from shared.process import metrics
from tests.support.eventually import eventually
from tests.support.servers.proxy import Proxy
from tests.support.worker.unstarted_consumer import finalized

PARTS: dict[str, Callable[[Worker], Any]] = {
    "producer": lambda worker: worker.app.producer,
    "consumer": lambda worker: worker.consumer._thread,  # noqa: SLF001 - Faust's
}


def waits_for_kafka() -> bool:
    value: float = metrics.DEPENDENCY_UNAVAILABLE.labels("kafka")._value.get()  # noqa: SLF001 - prometheus has no other way
    return value == 1


@pytest.mark.parametrize("part", PARTS)
async def test_faust_waits_for_kafka(kafka: Server, part: str) -> None:
    port = free_port()
    service = PARTS[part](finalized(kafka_bootstrap=f"{HOST}:{port}"))
    starting = asyncio.create_task(service.start())
    await eventually(waits_for_kafka)

    with Proxy(port, kafka.port):
        await starting
        await eventually(lambda: not waits_for_kafka())

    assert not service.crashed
    await service.stop()
