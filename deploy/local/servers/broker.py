"""The topics of a Kafka broker."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

TIMEOUT_MS = 5_000


def topics(bootstrap: str) -> frozenset[str] | None:
    """Return the names of the topics, None if no broker is in service."""
    # In a thread of its own, because the caller may be a coroutine and a thread runs one event loop.
    with ThreadPoolExecutor(max_workers=1) as thread:
        return thread.submit(asyncio.run, _ask(bootstrap)).result()


async def _ask(bootstrap: str) -> frozenset[str] | None:
    client = AIOKafkaAdminClient(bootstrap_servers=bootstrap, request_timeout_ms=TIMEOUT_MS)
    try:
        await client.start()
        # A broker that waits for its controller answers too, but is not in the list.
        if not (await client.describe_cluster())["brokers"]:
            return None
        return frozenset(await client.list_topics())
    except (KafkaError, OSError, TimeoutError):
        return None
    finally:
        await client.close()
