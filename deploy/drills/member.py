"""A member that joins the workers' consumer group and leaves it soon, over and over: each time the group rebalances.

It speaks the protocol by itself. A consumer with an assignor of its own would be refused by the group, and a whole
worker takes seconds to start.
"""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError
from aiokafka.protocol.group import JoinGroupRequest, LeaveGroupRequest

_SESSION_MS = 10_000
_STAYS_SECONDS = 0.7
_AWAY_SECONDS = 0.3
_CLIENT_ID = "callfold-spare"


@contextmanager
def joining_and_leaving(bootstrap: str, group: str) -> Iterator[None]:
    """Let a member join and leave inside, about once a second; nobody else notices how it is done."""
    over = threading.Event()
    thread = threading.Thread(target=lambda: asyncio.run(_until(over, bootstrap, group)), daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


async def _until(over: threading.Event, bootstrap: str, group: str) -> None:
    client = AIOKafkaAdminClient(bootstrap_servers=bootstrap, client_id=_CLIENT_ID, request_timeout_ms=2 * _SESSION_MS)
    await client.start()
    try:
        coordinator = await client.find_coordinator(group)
        while not over.is_set():
            with suppress(KafkaError):
                await _join_and_leave(client, coordinator, group)
            await asyncio.sleep(_AWAY_SECONDS)
    finally:
        await client.close()


async def _join_and_leave(client: AIOKafkaAdminClient, coordinator: int, group: str) -> None:
    """Join as the members that are there do, and leave before or after the partitions are given out."""
    (described,) = await client.describe_consumer_groups([group], coordinator)
    (_, _, _, kind, protocol, members, *_) = described.groups[0]
    if not protocol or not members:  # it rebalances already
        return
    metadata = members[0][3]
    join = JoinGroupRequest(group, _SESSION_MS, _SESSION_MS, "", "", kind, [(protocol, metadata)])
    joined = await client._send_request(join, coordinator)  # noqa: SLF001 - no client joins without an assignor
    await asyncio.sleep(_STAYS_SECONDS)
    await client._send_request(LeaveGroupRequest(group, joined.member_id), coordinator)  # noqa: SLF001
