"""Which topics a Kafka broker has."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

from shared.kafka.access import KafkaAccess
from shared.kafka.admin import admin_client
from shared.kafka.errors import KafkaUnavailable


def topics(bootstrap: str) -> frozenset[str] | None:
    """Return the names of the topics, None while no broker is in service."""
    # In a thread of its own: the caller may be a coroutine, and a thread runs one event loop.
    with ThreadPoolExecutor(max_workers=1) as thread:
        return thread.submit(asyncio.run, _topics(bootstrap)).result()


async def _topics(bootstrap: str) -> frozenset[str] | None:
    try:
        async with admin_client(KafkaAccess(bootstrap)) as client:
            # A broker that still waits for its controller answers too, but is not on the list.
            if not (await client.describe_cluster())["brokers"]:
                return None
            return frozenset(await client.list_topics())
    except KafkaUnavailable:
        return None
