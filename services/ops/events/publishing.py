"""Publishing a file of events: as many as there are, in bounded memory, each until the broker has acknowledged it."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from services.ops import kafka
from services.ops.errors import INTERRUPTED, CommandError
from services.ops.events.lines import Line, Source, read
from services.ops.events.validation import Refuse, Report, Tally, check, topic_of
from services.ops.settings import OpsSettings
from shared.contract.envelope import Event, InvalidEvent
from shared.contract.topics import INPUT_MAX_MESSAGE_BYTES, Topics
from shared.kafka.access import KafkaAccess

HEADERS = [("content-type", b"application/cloudevents+json")]

_IN_FLIGHT = 20_000
_BATCH_BYTES = 256 * 1024
_LINGER_MS = 5
_LAST_WORDS_SECONDS = 3


@dataclass(slots=True)
class Flight:
    """The lines that are sent and not yet known to be acknowledged, in their order; `next` is the one after them."""

    waiting: "deque[tuple[int, asyncio.Future[object]]]" = field(default_factory=deque)
    acknowledged: int = 0
    next: int = 1

    def add(self, number: int, sent: "asyncio.Future[object]") -> None:
        """Keep the line of this number until it is acknowledged."""
        self.waiting.append((number, sent))
        self.next = number + 1

    def land(self) -> None:
        """Count what was acknowledged; raises what the oldest failed with."""
        while self.waiting and self.waiting[0][1].done():
            self.waiting[0][1].result()
            self.waiting.popleft()
            self.acknowledged += 1

    async def wait(self, limit: int) -> None:
        """Return when at most `limit` are left; the oldest may take as long as Kafka may."""
        self.land()
        while len(self.waiting) > limit:
            async with asyncio.timeout(kafka.TIMEOUT_SECONDS):
                await asyncio.shield(self.waiting[0][1])
            self.land()

    def account(self) -> str:
        """Return how many were acknowledged, and from which line on that is not known."""
        unknown = [number for number, sent in self.waiting if not sent.done() or sent.cancelled() or sent.exception()]
        good = self.acknowledged + len(self.waiting) - len(unknown)
        first = next(iter(unknown), self.next)
        return (
            f"{good} events were acknowledged; from line {first} on that is not known: publish from there on again, "
            "an event that comes twice counts once"
        )


class Publication:
    """One file on its way to the topics."""

    def __init__(self, producer: AIOKafkaProducer, topics: Topics) -> None:
        self.flight = Flight()
        self._producer = producer
        self._topics = topics

    async def publish(self, source: Source, refuse: Refuse, report: Report) -> Tally:
        """Send every line that is an event; return when all are acknowledged."""
        refused = 0
        done = 0
        async for done, lines in read(source):
            for line in lines:
                if line.blank:
                    continue
                event = check(line)
                if isinstance(event, InvalidEvent):
                    refuse(line, event)
                    refused += 1
                else:
                    await self._send(line, event)
            self.flight.land()
            report(Tally(done, self.flight.acknowledged, refused))
        await self.flight.wait(0)
        return Tally(done, self.flight.acknowledged, refused)

    async def _send(self, line: Line, event: Event) -> None:
        topic, key = topic_of(event, self._topics), event.call_id.encode()
        sent = await self._producer.send(topic, line.text, key=key, headers=HEADERS)
        self.flight.add(line.number, sent)
        if len(self.flight.waiting) > _IN_FLIGHT:
            await self.flight.wait(_IN_FLIGHT // 2)


async def publish(source: Source, settings: OpsSettings, refuse: Refuse, report: Report) -> Tally:
    """Publish every valid line of the source, byte for byte, on the topic of its type with its call as the key.

    Raises:
        CommandError: the source cannot be read, a topic is missing, Kafka does not answer, or Ctrl-C.
    """
    await kafka.partitions(settings.kafka, *settings.topics.inputs)
    async with _started(settings.kafka) as producer:
        publication = Publication(producer, settings.topics)
        try:
            return await publication.publish(source, refuse, report)
        except asyncio.CancelledError:
            pending = [sent for _, sent in publication.flight.waiting]
            if pending:
                await asyncio.wait(pending, timeout=_LAST_WORDS_SECONDS)
            raise CommandError(f"interrupted; {publication.flight.account()}", INTERRUPTED) from None
        except CommandError as failure:
            raise CommandError(f"{failure}; {publication.flight.account()}", failure.code) from failure
        except (KafkaError, TimeoutError) as error:
            raise CommandError(
                f"{await kafka.explain(error, settings.kafka)}; {publication.flight.account()}"
            ) from error


@asynccontextmanager
async def _started(access: KafkaAccess) -> AsyncIterator[AIOKafkaProducer]:
    producer = AIOKafkaProducer(
        **access.options(),
        acks="all",
        enable_idempotence=True,
        max_request_size=INPUT_MAX_MESSAGE_BYTES,
        max_batch_size=_BATCH_BYTES,
        linger_ms=_LINGER_MS,
        request_timeout_ms=kafka.TIMEOUT_MS,
    )
    try:
        async with kafka.translate_errors(access):
            async with asyncio.timeout(kafka.TIMEOUT_SECONDS):
                await producer.start()
        yield producer
    finally:
        # All was acknowledged, or will not be: an idempotent producer would else try for ever.
        with suppress(TimeoutError):
            async with asyncio.timeout(1):
                await producer.stop()
