"""A steady load: so many events a second, of calls that begin, go on and end."""

import asyncio
import time
from collections.abc import Iterator
from typing import Self

from confluent_kafka import Producer

from benchmarks.calls import Workload
from benchmarks.stage import Stage, publish
from shared.contract.topics import Topics

_TOGETHER = Workload(100, 300)
_TICK_SECONDS = 0.01


class SteadyLoad:
    """Publishes while it is entered; then the calls that have begun are told to their end, as fast as that goes."""

    def __init__(self, stage: Stage, topics: Topics, rate: int) -> None:
        self._stage = stage
        self._topics = topics
        self._rate = rate
        self._rounds = 0
        self._messages = self._next_round()

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._publish())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        await asyncio.to_thread(publish, self._stage.kafka.address, self._messages)

    def rounds(self) -> list[tuple[Workload, int]]:
        """Return the workloads that were published, each with the number of its first call."""
        return [(_TOGETHER, number * _TOGETHER.calls) for number in range(self._rounds)]

    def _next_round(self) -> Iterator[tuple[str, bytes, bytes]]:
        self._rounds += 1
        return _TOGETHER.messages(self._topics, (self._rounds - 1) * _TOGETHER.calls)

    async def _publish(self) -> None:
        producer = Producer(
            {"bootstrap.servers": self._stage.kafka.address, "partitioner": "murmur2_random", "linger.ms": 5}
        )
        began, sent = time.monotonic(), 0
        try:
            while True:
                while sent < (time.monotonic() - began) * self._rate:
                    topic, key, value = next(self._messages, None) or next(self._next())
                    producer.produce(topic, value, key)
                    sent += 1
                producer.poll(0)
                await asyncio.sleep(_TICK_SECONDS)
        finally:
            producer.flush()

    def _next(self) -> Iterator[tuple[str, bytes, bytes]]:
        self._messages = self._next_round()
        return self._messages
