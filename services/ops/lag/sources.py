"""Where the lag is read: Kafka, and how MongoDB writes meanwhile."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Protocol

from services.ops.program import Program
from services.ops.settings import MONGO, OpsSettings
from shared.lag.models import Reading
from shared.lag.mongodb import Write, timed_write
from shared.lag.reader import LagReader
from shared.process.repeated import repeated
from shared.store.ports import WriteProbe

_WRITE_SECONDS = 1.0


class Reader(Protocol):
    """What reads the lag."""

    async def read(self) -> Reading:
        """Return what is known now; raises nothing for Kafka and MongoDB."""


class BothReader:
    """Reads Kafka, and adds the last write to MongoDB, which never delays it."""

    def __init__(self, kafka: Reader, probe: WriteProbe) -> None:
        self._kafka = kafka
        self._probe = probe
        self._write = Write()

    async def write(self) -> None:
        """Write once to MongoDB, and remember how that went."""
        self._write = await timed_write(self._probe, self._write)

    async def read(self) -> Reading:
        reading = await self._kafka.read()
        return self._write.added_to(reading)


@asynccontextmanager
async def kafka_reader(settings: OpsSettings) -> AsyncIterator[LagReader]:
    """Open the reader of the group's lag."""
    opened = LagReader(settings.kafka, settings.topics.inputs, settings.group)
    try:
        yield opened
    finally:
        await opened.close()


@asynccontextmanager
async def reader(program: Program, settings: OpsSettings) -> AsyncIterator[Reader]:
    """Open what reads Kafka, and MongoDB too where it is set: a default may be another installation's."""
    async with AsyncExitStack() as stack:
        kafka = await stack.enter_async_context(kafka_reader(settings))
        if MONGO not in settings.model_fields_set:
            yield kafka
            return
        database = await stack.enter_async_context(program.opening(settings))
        both = BothReader(kafka, database.probe)
        await stack.enter_async_context(repeated(both.write, _WRITE_SECONDS))
        yield both
