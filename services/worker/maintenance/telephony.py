"""Where inferred ends go: onto the telephony topic, as events among the others, so that a replay finds them too."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from typing import Protocol

from aiokafka.errors import KafkaError

from services.worker.maintenance.inferred_end import InferredEnd
from shared.kafka.access import KafkaAccess
from shared.kafka.errors import KafkaUnavailable
from shared.kafka.producer import OutgoingRecord, RecordProducer

_HEADERS = [("content-type", b"application/cloudevents+json")]
_PATIENCE_SECONDS = 20.0
_STOP_SECONDS = 1.0


class InferredEndPublisher(Protocol):
    """Takes inferred ends."""

    async def publish(self, ends: Sequence[InferredEnd]) -> None:
        """Return when every end is there.

        Raises:
            KafkaUnavailable: not all are; some may be.
        """


class MemoryInferredEnds:
    """Keeps to the port, in memory."""

    def __init__(self) -> None:
        self.published: list[InferredEnd] = []

    async def publish(self, ends: Sequence[InferredEnd]) -> None:
        self.published.extend(ends)


class KafkaInferredEndPublisher:
    """The telephony topic."""

    def __init__(self, kafka: KafkaAccess, topic: str) -> None:
        """Connect to nothing yet."""
        self._sender = RecordProducer(kafka)
        self._topic = topic

    async def publish(self, ends: Sequence[InferredEnd]) -> None:
        records = [OutgoingRecord(self._topic, end.call_id.encode(), end.body, _HEADERS) for end in ends]
        try:
            # An idempotent producer goes on trying by itself: what it brings later is the same event.
            async with asyncio.timeout(_PATIENCE_SECONDS):
                too_large = await self._sender.deliver(records)
        except TimeoutError as error:
            raise KafkaUnavailable(f"no answer within {_PATIENCE_SECONDS:.0f} s") from error
        except (KafkaError, OSError) as error:
            await self.stop()
            raise KafkaUnavailable(type(error).__name__) from error
        if too_large:
            raise KafkaUnavailable(f"{self._topic} finds {len(too_large)} inferred ends too large")

    async def stop(self) -> None:
        """Close the connection; what is under way is given a second."""
        with suppress(TimeoutError):
            async with asyncio.timeout(_STOP_SECONDS):
                await self._sender.stop()
