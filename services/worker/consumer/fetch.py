"""Taking from Faust's stream what is there: what one fetch has brought, many fetches together in a backlog."""

import asyncio
import time
from collections.abc import AsyncIterator

from faust.types import EventT, StreamT

_MOST = 64
# Faust delivers the chunks of a fetch one by one; after a rebalance, or a seek, the rest of them may never come.
_DELIVERED_WITHIN_SECONDS = 0.1
_LOOK_SECONDS = 0.001


async def taken(stream: StreamT[bytes]) -> AsyncIterator[list[EventT[bytes]]]:
    """Yield what a fetch has brought and what has come meanwhile; nothing of it is acknowledged by Faust.

    Faust's own `noack_take` lets everything wait for its timer, which rings all day, and turns acknowledgements on
    again when it ends.
    """
    stream.enable_acks = False  # before the first event: each is acknowledged by what it finds then
    queue = stream.channel.queue
    arriving = aiter(stream.events())
    async for event in arriving:
        events, until = [event], time.monotonic() + _DELIVERED_WITHIN_SECONDS
        while len(events) < _MOST:
            if not queue.empty():  # or what is held would wait for what has yet to come
                events.append(await anext(arriving))
            elif events[-1].message.to_come and time.monotonic() < until:
                await asyncio.sleep(_LOOK_SECONDS)
            else:
                break
        yield events
