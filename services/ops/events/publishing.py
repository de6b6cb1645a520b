"""Publishing a file of events, of any size, in bounded memory: part by part, each until the broker acknowledges it."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress

from aiokafka.errors import KafkaError

from services.ops.errors import INTERRUPTED, CommandError
from services.ops.events.layout import read
from services.ops.events.lines import Line, Source
from services.ops.events.validate_lines import Checking, Report, Tally, topic_of
from services.ops.settings import OpsSettings
from shared.contract.topics import Topics
from shared.kafka import admin
from shared.kafka.errors import KafkaUnavailable
from shared.kafka.producer import OutgoingRecord, RecordProducer

HEADERS = (("content-type", b"application/cloudevents+json"),)

_STOP_SECONDS = 1
_INTERRUPT_SECONDS = 3

Deliver = Callable[[Sequence[OutgoingRecord]], Awaitable[Sequence[OutgoingRecord]]]
"""Returns the records that are too large for their topics, when all others are acknowledged."""


class Publication:
    """The progress of one file; `next_line` is the first line of which it is not known that it is done."""

    def __init__(self, deliver: Deliver, topics: Topics, checking: Checking) -> None:
        self._deliver = deliver
        self._checking = checking
        self._topics = topics
        self.tally = Tally()
        self.next_line = 1

    async def publish(self, source: Source, report: Report) -> None:
        """Publish every valid line; return when all are acknowledged.

        Raises:
            CommandError: the source cannot be read, or a topic rejects an event as too large.
            KafkaError, TimeoutError: Kafka does not acknowledge a part of the file.
        """
        async for done, lines in read(source):
            part = asyncio.ensure_future(self._publish(done, lines))
            try:
                await asyncio.shield(part)
            except asyncio.CancelledError:
                # Ctrl-C: what was sent already is about to be acknowledged.
                await asyncio.wait([part], timeout=_INTERRUPT_SECONDS)
                raise
            report(self.tally)

    async def _publish(self, done: int, lines: Sequence[Line]) -> None:
        checked = self._checking.check(lines)
        records = [
            OutgoingRecord(topic_of(event, self._topics), event.call_id.encode(), line.text, HEADERS)
            for line, event in checked.valid
        ]
        async with asyncio.timeout(admin.TIMEOUT_SECONDS):
            for record in await self._deliver(records) if records else ():
                raise CommandError(f"the topic {record.topic} rejects an event as too large (max.message.bytes)")
        self.tally = self.tally.after(done, checked)
        self.next_line = lines[-1].number + 1 if lines else self.next_line

    def account(self) -> str:
        """Return what was published, and how to go on."""
        return (
            f"{self.tally.valid} events were acknowledged; publish again from line {self.next_line} on: "
            "an event that arrives twice counts once"
        )


async def publish(source: Source, settings: OpsSettings, checking: Checking, report: Report) -> Tally:
    """Publish every valid line of the source, byte for byte, to the topic of its type with its call id as the key.

    Raises:
        CommandError: the source cannot be read, Kafka does not answer, or Ctrl-C; names what was acknowledged.
        KafkaUnavailable: Kafka does not answer, and nothing was sent; or a topic does not exist.
    """
    await admin.partitions(settings.kafka, *settings.topics.inputs)
    producer = RecordProducer(settings.kafka, request_timeout_ms=admin.TIMEOUT_MS)
    publication = Publication(producer.deliver, settings.topics, checking)
    try:
        async with admin.translate_errors(settings.kafka):
            await publication.publish(source, report)
    except asyncio.CancelledError:
        raise CommandError(f"interrupted; {publication.account()}", INTERRUPTED) from None
    except (CommandError, KafkaUnavailable) as error:
        raise CommandError(f"{error}; {publication.account()}") from error
    finally:
        # Everything is acknowledged, or will not be: an idempotent producer would retry for ever.
        with suppress(TimeoutError, KafkaError):
            async with asyncio.timeout(_STOP_SECONDS):
                await producer.stop()
    return publication.tally
