"""The dead letters: records that are no events, byte for byte, with headers that say why."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaConnectionError, KafkaTimeoutError, NodeNotReadyError, RequestTimedOutError

from services.worker.batch import Rejected
from shared.event_time import rfc3339
from shared.topics import DEAD_LETTER_MAX_MESSAGE_BYTES

_AWAY = (KafkaConnectionError, KafkaTimeoutError, NodeNotReadyError, RequestTimedOutError)
# What makes the record readable again: the rest of its headers may hold anything.
_KEPT_HEADERS = frozenset(
    {f"ce_{name}" for name in ("specversion", "id", "source", "type", "subject", "time", "organizationid")}
    | {"ce_sequence", "ce_traceparent"}
)
_CONTENT_TYPE = "content-type"
_ENVELOPE_BYTES = 64 * 1024


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

    def __init__(self, bootstrap: str, topic: str) -> None:
        """Connect to nothing yet."""
        self._bootstrap = bootstrap
        self._topic = topic
        self._producer: AIOKafkaProducer | None = None

    async def publish(self, letters: Sequence[DeadLetter]) -> None:
        """See the port."""
        try:
            producer = await self._started()
            sent = [
                await producer.send(self._topic, letter.value, key=letter.key, headers=list(letter.headers))
                for letter in letters
            ]
            # `send` returns when the record is queued; only this waits for the broker.
            await asyncio.gather(*sent)
        except _AWAY as error:
            raise DeadLettersUnavailable(type(error).__name__) from error

    async def stop(self) -> None:
        """Close the connection."""
        if self._producer is not None:
            await self._producer.stop()

    async def _started(self) -> AIOKafkaProducer:
        if self._producer is None:
            producer = AIOKafkaProducer(
                bootstrap_servers=self._bootstrap,
                acks="all",
                enable_idempotence=True,
                max_request_size=DEAD_LETTER_MAX_MESSAGE_BYTES + _ENVELOPE_BYTES,
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
    return name in _KEPT_HEADERS or name.lower() == _CONTENT_TYPE
