"""Reading how far a group is behind, without joining it: what Kafka has now, and again a second later."""

import asyncio
import time
from collections.abc import Sequence

from shared.kafka.access import KafkaAccess
from shared.kafka.brokers import Brokers
from shared.lag.kafka.look import Look, Memory
from shared.lag.models import Reading

_SECONDS = 2.5
"""For one reading: within this and a second an outage of Kafka is noticed."""


class LagReader:
    """Reads the offsets of `group` on the topics, through connections that it keeps; nothing is joined or committed.

    A reading costs one to two requests to each broker that leads a partition, one more where a committed offset has
    moved, and two to the group's coordinator. `requests` counts them.
    """

    def __init__(self, access: KafkaAccess, topics: Sequence[str], group: str) -> None:
        self._error: str | None = None
        self._brokers = Brokers(access, topics)
        self._memory = Memory(self._brokers)
        self._topics = topics
        self._group = group

    @property
    def requests(self) -> int:
        return self._brokers.requests

    @property
    def error(self) -> str | None:
        """Why Kafka could not be read the last time, None if it could."""
        return self._error

    async def read(self) -> Reading:
        """Return what Kafka has now, within three seconds; what cannot be read is missing. Raises nothing.

        Of MongoDB it knows nothing.
        """
        look = Look(self._brokers, self._memory, self._topics, self._group)
        task = asyncio.create_task(look.take())
        try:
            _, late = await asyncio.wait([task], timeout=_SECONDS)
        finally:
            task.cancel()
        if late:
            await asyncio.wait([task])
            look.failed("no answer in time")
        else:
            task.result()
        self._error = look.error
        return look.reading(time.time())

    async def close(self) -> None:
        """Close the connections."""
        await self._brokers.close()
