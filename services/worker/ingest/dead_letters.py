"""The dead letters: records that are no events, byte for byte, with headers that say why."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from aiokafka.errors import (
    KafkaConnectionError,
    KafkaTimeoutError,
    NodeNotReadyError,
    OutOfOrderSequenceNumber,
    RequestTimedOutError,
)

from services.worker.ingest.decode_batch import RejectedRecord
from shared.contract import dead_letter_headers
from shared.kafka.access import KafkaAccess
from shared.kafka.diagnose import diagnose
from shared.kafka.producer import OutgoingRecord, RecordProducer
from shared.process.logs import logger

log = logger(__name__)

# A broker that has lost a producer's count takes a new one's, with the next attempt.
_AWAY = (KafkaConnectionError, KafkaTimeoutError, NodeNotReadyError, OutOfOrderSequenceNumber, RequestTimedOutError)


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
        self.delivered.extend(letters)


class KafkaDeadLetters:
    """The dead-letter topic."""

    def __init__(self, kafka: KafkaAccess, topic: str) -> None:
        """Connect to nothing yet."""
        self._kafka = kafka
        self._sender = RecordProducer(kafka)
        self._topic = topic

    async def publish(self, letters: Sequence[DeadLetter]) -> None:
        try:
            too_large = await self._sender.deliver(
                [OutgoingRecord(self._topic, letter.key, letter.value, letter.headers) for letter in letters]
            )
            if too_large:
                # One record must not hold up all others.
                log.error("dead_letters_truncated", letters=len(too_large))
                await self._sender.deliver([_without_value(each) for each in too_large])
        except _AWAY as error:
            raise DeadLettersUnavailable(await diagnose(error, self._kafka)) from error

    async def stop(self) -> None:
        """Close the connection."""
        await self._sender.stop()


def letter(rejected: RejectedRecord, refused_at: str) -> DeadLetter:
    """Return the dead letter for a refused record; `refused_at` is RFC 3339."""
    record, why = rejected.record, rejected.why
    # aiokafka sends no record without both, and a refused one that cannot be delivered would hold up all others.
    key = b"" if record.key is None and record.value is None else record.key
    said = (
        ("reason", why.reason.encode()),
        ("detail", why.detail.encode()),
        ("topic", record.topic.encode()),
        ("partition", b"%d" % record.partition),
        ("offset", b"%d" % record.offset),
        ("time", refused_at.encode()),
    )
    return DeadLetter(key, record.value, (*dead_letter_headers.kept(record.headers), *said))


def _without_value(letter: OutgoingRecord) -> OutgoingRecord:
    omitted = (dead_letter_headers.OMITTED, str(len(letter.value or b"")).encode())
    return replace(letter, key=letter.key or b"", value=None, headers=(*letter.headers, omitted))
