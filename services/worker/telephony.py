"""Where inferred ends go: onto the telephony topic, as events among the others, so that a replay finds them too."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, Protocol

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from services.worker.declare import KafkaUnavailable
from services.worker.silence import InferredEnd
from shared.kafka_access import KafkaAccess

_HEADERS = [("content-type", b"application/cloudevents+json")]
_PATIENCE_SECONDS = 20.0
_STOP_SECONDS = 1.0


class Telephony(Protocol):
    """Takes inferred ends."""

    async def publish(self, ends: Sequence[InferredEnd]) -> None:
        """Return when every end is there.

        Raises:
            KafkaUnavailable: not all are; some may be.
        """


class MemoryTelephony:
    """Keeps to the port, in memory."""

    def __init__(self) -> None:
        self.published: list[InferredEnd] = []

    async def publish(self, ends: Sequence[InferredEnd]) -> None:
        """See the port."""
        self.published.extend(ends)


class KafkaTelephony:
    """The telephony topic."""

    def __init__(self, kafka: KafkaAccess, topic: str) -> None:
        """Connect to nothing yet."""
        self._kafka = kafka
        self._topic = topic
        self._producer: AIOKafkaProducer | None = None

    async def publish(self, ends: Sequence[InferredEnd]) -> None:
        """See the port."""
        try:
            # An idempotent producer goes on trying by itself: what it brings later is the same event.
            async with asyncio.timeout(_PATIENCE_SECONDS):
                producer = await self._started()
                await asyncio.gather(*[await self._send(producer, end) for end in ends])
        except TimeoutError as error:
            raise KafkaUnavailable(f"no answer within {_PATIENCE_SECONDS:.0f} s") from error
        except (KafkaError, OSError) as error:
            await self.stop()
            raise KafkaUnavailable(type(error).__name__) from error

    async def stop(self) -> None:
        """Close the connection; what is under way is given a second."""
        producer, self._producer = self._producer, None
        if producer is not None:
            with suppress(TimeoutError):
                async with asyncio.timeout(_STOP_SECONDS):
                    await producer.stop()

    async def _started(self) -> AIOKafkaProducer:
        if self._producer is None:
            producer = AIOKafkaProducer(**self._kafka.options(), acks="all", enable_idempotence=True)
            try:
                await producer.start()
            except BaseException:
                await producer.stop()
                raise
            self._producer = producer
        return self._producer

    async def _send(self, producer: AIOKafkaProducer, end: InferredEnd) -> Any:
        return await producer.send(self._topic, end.body, key=end.call_id.encode(), headers=_HEADERS)
