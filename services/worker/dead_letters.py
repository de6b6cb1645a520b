"""The dead letters: records that are no events, byte for byte, with headers that say why."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

from aiokafka import AIOKafkaProducer
from aiokafka.errors import (
    KafkaConnectionError,
    KafkaTimeoutError,
    MessageSizeTooLargeError,
    NodeNotReadyError,
    RequestTimedOutError,
)

from services.worker.batch import Rejected
from shared.event_time import rfc3339
from shared.events import ATTRIBUTE_HEADERS
from shared.kafka_access import KafkaAccess
from shared.kafka_refusal import refusal
from shared.logs import logger

log = logger(__name__)

_AWAY = (KafkaConnectionError, KafkaTimeoutError, NodeNotReadyError, RequestTimedOutError)
_CONTENT_TYPE = "content-type"
# More than a fetch can hold, decompressed: what the broker takes is for the broker to say.
_MAX_REQUEST_BYTES = 1024**3


class DeadLettersUnavailable(Exception):
    """The dead letters cannot be delivered now; wait, and deliver all of them again."""


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A refused record: its key and value, of which not both are None, and headers; the last of a name counts."""

    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...]


class DeadLetters(Protocol):
    """Where refused records go."""

    async def publish(self, letters: Sequence[DeadLetter]) -> None:
        """Return when every letter is delivered.

        Raises:
            DeadLettersUnavailable: not all are; some may be.
        """


class MemoryDeadLetters:
    """Keeps to the port, in memory."""

    def __init__(self) -> None:
        self.delivered: list[DeadLetter] = []

    async def publish(self, letters: Sequence[DeadLetter]) -> None:
        """See the port."""
        self.delivered.extend(letters)


class KafkaDeadLetters:
    """The dead-letter topic."""

    def __init__(self, kafka: KafkaAccess, topic: str) -> None:
        """Connect to nothing yet."""
        self._kafka = kafka
        self._topic = topic
        self._producer: AIOKafkaProducer | None = None

    async def publish(self, letters: Sequence[DeadLetter]) -> None:
        """See the port."""
        try:
            producer = await self._started()
            sent = [(letter, await self._send(producer, letter)) for letter in letters]
            # `send` returns when the record is queued; only this waits for the broker.
            delivered = await asyncio.gather(*(future for _, future in sent), return_exceptions=True)
            for (letter, _), outcome in zip(sent, delivered, strict=True):
                await self._settle(producer, letter, outcome)
        except _AWAY as error:
            raise DeadLettersUnavailable(await refusal(self._kafka) or type(error).__name__) from error

    async def _settle(self, producer: AIOKafkaProducer, letter: DeadLetter, outcome: Any) -> None:
        """Deliver without its value what the topic finds too large: one record must not hold up all others."""
        if isinstance(outcome, MessageSizeTooLargeError):
            log.error("dead_letter_without_value", bytes=len(letter.value or b""))
            await (await self._send(producer, replace(letter, key=letter.key or b"", value=None)))
        elif isinstance(outcome, BaseException):
            raise outcome

    async def _send(self, producer: AIOKafkaProducer, letter: DeadLetter) -> Any:
        return await producer.send(self._topic, letter.value, key=letter.key, headers=list(letter.headers))

    async def stop(self) -> None:
        """Close the connection."""
        if self._producer is not None:
            await self._producer.stop()

    async def _started(self) -> AIOKafkaProducer:
        if self._producer is None:
            producer = AIOKafkaProducer(
                **self._kafka.options(),
                acks="all",
                enable_idempotence=True,
                max_request_size=_MAX_REQUEST_BYTES,
                # What an input topic took compressed must be taken here too.
                compression_type="gzip",
            )
            try:
                await producer.start()
            except BaseException:
                await producer.stop()
                raise
            self._producer = producer
        return self._producer


def letter(rejected: Rejected, now: int) -> DeadLetter:
    """Return the dead letter for a refused record; `now` is Unix milliseconds."""
    record, why = rejected.record, rejected.why
    said = {
        "reason": why.reason,
        "detail": why.detail,
        "topic": record.topic,
        "partition": str(record.partition),
        "offset": str(record.offset),
        "time": rfc3339(now),
    }
    kept = [(name, value) for name, value in record.headers if _kept(name) and value is not None]
    # aiokafka sends no record without both, and a refused one that cannot be delivered would hold up all others.
    key = b"" if record.key is None and record.value is None else record.key
    return DeadLetter(key, record.value, (*kept, *((name, text.encode()) for name, text in said.items())))


def _kept(name: str) -> bool:
    """Tell whether a header is needed to read the record again: the rest of them may hold anything."""
    return name in ATTRIBUTE_HEADERS or name.lower() == _CONTENT_TYPE
