"""Writes once a second until which arrival each partition is written: the API tells readers how old an answer is."""

import asyncio
import math
from collections.abc import Callable, Mapping
from typing import Any

from services.worker import metrics
from shared.store.ports import StoreUnavailable, Watermarks

_EVERY_SECONDS = 1.0
_STOP_SECONDS = 1.0


class WatermarkWriter:
    """Writes what `arrived_until` returns: an arrival (Unix milliseconds) for each partition whose it is known.

    `partitions` returns how many an input topic has.
    """

    def __init__(
        self, store: Watermarks, arrived_until: Callable[[], Mapping[int, int]], partitions: Callable[[], int]
    ) -> None:
        self._store = store
        self._arrived_until = arrived_until
        self._partitions = partitions
        self._written: Mapping[int, int] = {}
        self._running: asyncio.Task[Any] | None = None

    async def run(self) -> None:
        self._running = asyncio.current_task()
        while True:
            await self.step()
            await asyncio.sleep(_EVERY_SECONDS)

    async def stop(self) -> None:
        """Cancel the write: the connection is about to be closed."""
        if self._running is not None:
            self._running.cancel()
            await asyncio.wait([self._running], timeout=_STOP_SECONDS)

    async def step(self) -> None:
        """Write what has changed; what is not written for now is written the next time."""
        untils = self._arrived_until()
        metrics.WATERMARK.set(min(untils.values()) / 1000 if untils else math.nan)
        changed = {partition: until for partition, until in untils.items() if self._written.get(partition) != until}
        try:
            if changed:
                await self._store.put_watermarks(changed, self._partitions())
            self._written = untils
        except StoreUnavailable:
            self._written = {}  # the batch writer reports it
