"""Dead letters: invalid records, byte for byte, with headers that give the reason."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace

from aiokafka.errors import KafkaConnectionError, KafkaError, KafkaTimeoutError, NodeNotReadyError, RequestTimedOutError

from services.worker.ingest.decode_batch import RejectedRecord
from services.worker.ingest.unread_records import UnreadRecords
from shared.contract import dead_letter_headers
from shared.kafka.access import KafkaAccess
from shared.kafka.diagnose import diagnose
from shared.kafka.errors import KafkaUnavailable
from shared.kafka.producer import OutgoingRecord, RecordProducer
from shared.process.dependencies import DependencyStatus
from shared.process.logs import logger

log = logger(__name__)

# A producer connects again after these by itself.
_NO_ANSWER = (KafkaConnectionError, KafkaTimeoutError, NodeNotReadyError, RequestTimedOutError)
_STOP_SECONDS = 1.0
_REPORTED_AFTER_SECONDS = 5.0


class KafkaDeadLetters:
    """Publishes dead letters; it connects when it is first used."""

    def __init__(self, kafka: KafkaAccess) -> None:
        self._kafka = kafka
        self._producer = RecordProducer(kafka)

    async def publish(self, records: Sequence[OutgoingRecord]) -> None:
        try:
            too_large = await self._deliver(records)
            if too_large:
                # One record must not block all others.
                log.error("dead_letters_truncated", dead_letters=len(too_large))
                await self._producer.deliver([_without_value(each) for each in too_large])
        except _NO_ANSWER as error:
            raise KafkaUnavailable(await diagnose(error, self._kafka)) from error
        except (KafkaError, OSError) as error:
            # A full disk, too few replicas, a missing right, a sequence number that the broker has lost: each can be
            # repaired, and a worker that ends would find it again. Some are remembered by the producer, so a new one.
            await self._replace_producer()
            raise KafkaUnavailable(await diagnose(error, self._kafka)) from error

    async def stop(self) -> None:
        await self._producer.stop()

    async def _deliver(self, records: Sequence[OutgoingRecord]) -> list[OutgoingRecord]:
        """Deliver, and report Kafka as unavailable while it acknowledges nothing for long.

        A producer tries again for long by itself, and says so to nobody: as with a topic that is gone.
        """
        status = DependencyStatus("kafka")
        delivery = asyncio.ensure_future(self._producer.deliver(records))
        try:
            done, _ = await asyncio.wait({delivery}, timeout=_REPORTED_AFTER_SECONDS)
            if not done:
                status.unavailable("dead letters are not acknowledged: is their topic there, with enough replicas?")
            outcome = await delivery
            status.recovered()
        finally:
            delivery.cancel()
            status.withdraw()
        return outcome

    async def _replace_producer(self) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(_STOP_SECONDS):
                await self._producer.stop()


def dead_letter(rejected: RejectedRecord, topic: str, rejected_at: str) -> OutgoingRecord:
    """Return the dead letter for an invalid record; `rejected_at` is RFC 3339. The last header of a name counts."""
    record, why = rejected.record, rejected.why
    # aiokafka sends no record without both: one that cannot be sent would block all others.
    key = b"" if record.key is None and record.value is None else record.key
    reason = (
        ("reason", why.reason.encode()),
        ("detail", why.detail.encode()),
        ("topic", record.topic.encode()),
        ("partition", b"%d" % record.partition),
        ("offset", b"%d" % (record.first_offset if isinstance(record, UnreadRecords) else record.offset)),
        ("time", rejected_at.encode()),
    )
    unread = _unread(record) if isinstance(record, UnreadRecords) else ()
    return OutgoingRecord(topic, key, record.value, (*dead_letter_headers.kept(record.headers), *reason, *unread))


def _unread(records: UnreadRecords) -> tuple[tuple[str, bytes], ...]:
    return (
        (dead_letter_headers.LAST_OFFSET, b"%d" % records.offset),
        (dead_letter_headers.OMITTED, b"%d" % records.size),
    )


def _without_value(record: OutgoingRecord) -> OutgoingRecord:
    omitted = (dead_letter_headers.OMITTED, str(len(record.value or b"")).encode())
    return replace(record, key=record.key or b"", value=None, headers=(*record.headers, omitted))
