"""The producer: sends each record when it is due, until the broker acknowledges it."""

import asyncio
import time
from collections.abc import Callable, Iterable

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from shared.contract.topics import DEAD_LETTER_MAX_MESSAGE_BYTES
from tests.faults.load.workload import Sent
from tests.support.servers.kafka import Message

_AT_ONCE = 5_000
_PAUSE_SECONDS = 0.5


class Producer:
    """Keeps the accepted records. A record without an answer is sent again, and so perhaps twice."""

    def __init__(self, bootstrap: str, on_accepted: Callable[[Sent], None]) -> None:
        self._bootstrap = bootstrap
        self._on_accepted = on_accepted
        self._slots = asyncio.Semaphore(_AT_ONCE)
        self.accepted: list[Sent] = []
        self.sent_again = 0

    async def run(self, records: Iterable[Sent], enough: Callable[[], bool]) -> None:
        """Send until `enough()`; return when everything is accepted, however long the broker is unavailable."""
        async with AIOKafkaProducer(
            bootstrap_servers=self._bootstrap,
            acks="all",
            linger_ms=5,
            max_request_size=DEAD_LETTER_MAX_MESSAGE_BYTES,
            request_timeout_ms=15_000,
        ) as producer:
            began = time.monotonic()
            async with asyncio.TaskGroup() as sending:
                for record in records:
                    await asyncio.sleep(max(0.0, began + record.due - time.monotonic()))
                    if enough():
                        break
                    await self._slots.acquire()
                    sending.create_task(self._deliver(producer, record))

    async def _deliver(self, producer: AIOKafkaProducer, record: Sent) -> None:
        while not await _accepted(producer, record.message):
            self.sent_again += 1
            await asyncio.sleep(_PAUSE_SECONDS)
        self._slots.release()
        self.accepted.append(record)
        self._on_accepted(record)


async def _accepted(producer: AIOKafkaProducer, message: Message) -> bool:
    try:
        await producer.send_and_wait(**message)
    except KafkaError:
        return False
    return True
