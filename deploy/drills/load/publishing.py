"""The producer: publishes what is due every tenth of a second, until the broker acknowledges it."""

import asyncio
import time
from contextlib import suppress
from datetime import UTC, datetime

from aiokafka.errors import KafkaError

from deploy.drills.load.calls import Provider, invalid
from deploy.drills.load.orders import Orders
from shared.contract.topics import Topics
from shared.kafka.access import KafkaAccess
from shared.kafka.producer import OutgoingRecord, RecordProducer

_TICK = 0.1
_MOST_SECONDS = 5.0
"""What a broker that was away for longer misses is not made up for: the drill of it is not a burst."""
_CALLS_AT_ONCE, _CALLS_OF_A_BURST = 100, 2_000
_PIECE = 2_000
_REQUEST_MS = 5_000
_STOP_SECONDS = 1.0


class Publishing:
    """Publishes by the latest orders; `order` may be called by another thread."""

    def __init__(self, bootstrap: str, topics: Topics) -> None:
        self._topics = topics
        self._orders = Orders()
        self._burst = 0
        self._since = time.monotonic()
        # Not compressed: a fetch of the worker is limited by its compressed size, and so is what others wait for.
        self._kafka = RecordProducer(KafkaAccess(bootstrap), request_timeout_ms=_REQUEST_MS, compression_type=None)
        # Names that differ from run to run would make another load of each.
        self._steady = Provider(topics, "call", _CALLS_AT_ONCE)
        self._batch = Provider(topics, "batch", _CALLS_OF_A_BURST)
        self._one_key = Provider(topics, "speech", _CALLS_AT_ONCE, key=b"speech-gateway")
        self._owed = dict.fromkeys(("steady", "one_key", "invalid"), 0.0)

    def order(self, line: bytes) -> None:
        """Follow these orders from now on."""
        self._orders = Orders.parse(line)
        self._burst += self._orders.burst

    async def run(self) -> None:
        """Publish until cancelled."""
        while True:
            await self._deliver(self._due())
            await asyncio.sleep(max(0.0, self._since + _TICK - time.monotonic()))

    def _due(self) -> list[OutgoingRecord]:
        orders, now, wall = self._orders, time.monotonic(), datetime.now(UTC)
        seconds, self._since = min(now - self._since, _MOST_SECONDS), now
        burst = min(self._burst, _PIECE)
        self._burst -= burst
        return [
            *self._steady.records(self._whole("steady", orders.steady * seconds), wall),
            *self._one_key.records(self._whole("one_key", orders.one_key * seconds), wall),
            *invalid(self._topics, self._whole("invalid", orders.invalid * seconds)),
            *self._batch.records(burst, wall),
        ]

    def _whole(self, name: str, number: float) -> int:
        """Return the whole records of those that are owed."""
        self._owed[name] += number
        whole = int(self._owed[name])
        self._owed[name] -= whole
        return whole

    async def _deliver(self, records: list[OutgoingRecord]) -> None:
        while records:
            try:
                await self._kafka.deliver(records)
            except KafkaError:
                with suppress(KafkaError, TimeoutError):
                    await asyncio.wait_for(self._kafka.stop(), _STOP_SECONDS)
                await asyncio.sleep(_TICK)
            else:
                return
