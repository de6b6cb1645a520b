"""How often the worker sends a fetch to a broker, and how much it asks for."""

# ruff: noqa: SLF001 - what the worker leans on inside aiokafka is the point here

import asyncio
import inspect
import time
from types import SimpleNamespace
from typing import Any

import pytest
from aiokafka.consumer.fetcher import Fetcher

from services.worker.consumer.fetch import pace, partition_bytes
from tests.support.eventually import scaled
from tests.support.worker.unstarted_consumer import turns

ASSIGNMENT, REQUEST = object(), object()
# Longer than the machine has been up: a monotonic clock may have begun at zero a minute ago.
LONG = time.monotonic() + 3600.0


class Asked:
    """In place of aiokafka's fetcher; records which brokers were asked."""

    def __init__(self, seconds: float) -> None:
        self.brokers: list[int] = []
        self.fetcher: Any = SimpleNamespace(_proc_fetch_request=self._fetch)
        pace(self.fetcher, seconds)

    async def _fetch(self, assignment: object, node_id: int, request: object) -> bool:
        assert (assignment, request) == (ASSIGNMENT, REQUEST)
        self.brokers.append(node_id)
        return True

    async def ask(self, broker: int) -> bool:
        brought: bool = await self.fetcher._proc_fetch_request(ASSIGNMENT, broker, REQUEST)
        return brought


async def test_the_first_fetch_is_sent_at_once_and_the_next_after_the_interval() -> None:
    asked = Asked(LONG)

    brought = await asked.ask(1)
    again = asyncio.ensure_future(asked.ask(1))
    await turns()
    meanwhile = list(asked.brokers)
    again.cancel()

    assert (brought, meanwhile) == (True, [1])
    assert await again is False  # as aiokafka's own does: it awaits what it has cancelled


async def test_brokers_do_not_wait_for_each_other() -> None:
    asked = Asked(LONG)

    await asked.ask(1)
    await asked.ask(2)

    assert asked.brokers == [1, 2]


async def test_after_the_interval_a_broker_gets_the_next_fetch() -> None:
    asked = Asked(0.001)

    async with asyncio.timeout(scaled(30)):
        await asyncio.gather(asked.ask(1), asked.ask(1))

    assert asked.brokers == [1, 1]


def test_the_method_of_aiokafka_that_is_replaced_exists() -> None:
    assert list(inspect.signature(Fetcher._proc_fetch_request).parameters) == [
        "self",
        "assignment",
        "node_id",
        "request",
    ]
    assert "self._proc_fetch_request(assignment, node_id, request)" in inspect.getsource(
        Fetcher._fetch_requests_routine
    )


@pytest.mark.parametrize(("partitions", "megabytes"), [(0, 4), (2, 4), (24, 4), (48, 2), (96, 1), (1_000, 1)])
def test_of_few_partitions_more_is_fetched_at_once(partitions: int, megabytes: int) -> None:
    assert partition_bytes(partitions) == megabytes * 1024 * 1024


def test_the_limit_of_aiokafka_that_is_set_is_read_for_each_fetch() -> None:
    assert "self._max_partition_fetch_bytes" in inspect.getsource(Fetcher._get_actions_per_node)
