"""Taking from Faust's stream what is there: at once while little comes, many chunks together in a backlog."""

import asyncio
from collections.abc import AsyncIterator

from faust.types import EventT, StreamT

_MOST = 64
# Faust delivers the chunks of a fetch one by one. That takes about as long.
_DELIVERY_SECONDS = 0.005


async def taken(stream: StreamT[bytes]) -> AsyncIterator[list[EventT[bytes]]]:
    """Yield what the stream's queue holds, as soon as it holds something; nothing of it is acknowledged by Faust.

    Faust's own `noack_take` lets everything wait for its timer, which rings all day, and turns acknowledgements on
    again when it ends.
    """
    stream.enable_acks = False  # before the first event: each is acknowledged by what it finds then
    queue = stream.channel.queue
    arriving = aiter(stream.events())
    async for event in arriving:
        if not queue.full():
            await asyncio.sleep(_DELIVERY_SECONDS)
        events = [event]
        while len(events) < _MOST and not queue.empty():  # or what is held would wait for what has yet to come
            events.append(await anext(arriving))
        yield events
