"""Publishes the canary's events, as any provider: idempotent, until every in-sync replica acknowledges them."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress

from aiokafka.errors import (
    KafkaConnectionError,
    KafkaError,
    KafkaTimeoutError,
    NodeNotReadyError,
    RequestTimedOutError,
)

from shared.kafka.access import KafkaAccess
from shared.kafka.diagnose import diagnose
from shared.kafka.errors import KafkaUnavailable
from shared.kafka.producer import OutgoingRecord, RecordProducer

_NO_ANSWER = (KafkaConnectionError, KafkaTimeoutError, NodeNotReadyError, RequestTimedOutError, TimeoutError)
_PUBLISH_SECONDS = 10.0
_STOP_SECONDS = 1.0


class KafkaEvents:
    """Publishes events; it connects when it is first used.

    A producer that gets no answer retries by itself, with one batch for each partition: what it delivers later are
    events of calls that have been counted. A new one each time would leave the old ones running.
    """

    def __init__(self, kafka: KafkaAccess) -> None:
        self._kafka = kafka
        self._producer = RecordProducer(kafka)
        self._lock = asyncio.Lock()  # several calls are followed at a time, and a producer is started by its first use

    async def publish(self, records: Sequence[OutgoingRecord]) -> None:
        try:
            async with asyncio.timeout(_PUBLISH_SECONDS), self._lock:
                too_large = await self._producer.deliver(records)
        except _NO_ANSWER as error:
            raise KafkaUnavailable(await diagnose(error, self._kafka)) from error
        except (KafkaError, OSError) as error:
            await self.stop()
            raise KafkaUnavailable(await diagnose(error, self._kafka)) from error
        if too_large:
            raise KafkaUnavailable(f"{len(too_large)} events are too large for {too_large[0].topic}")

    async def stop(self) -> None:
        """Close the connection; what is being sent has a second left."""
        with suppress(KafkaError, TimeoutError):
            async with asyncio.timeout(_STOP_SECONDS):
                await self._producer.stop()
