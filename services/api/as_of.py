"""How old an answer may be: until which arrival all events of a call's partition are in it.

The watermarks are read in the background, once a second for all requests. A request takes what was read before it reads
its call, and every read of a call starts after its request, so that the answer has everything up to there. While the
store does not answer, the last watermarks stay: they are still true, and only get old.
"""

import asyncio
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager

from shared.contract.timestamps import LATEST_MS, rfc3339
from shared.kafka.partitioner import partition_of
from shared.process.repeated import repeated
from shared.store.models import Watermark
from shared.store.ports import StoreUnavailable, Watermarks

AS_OF = "X-Callfold-As-Of"

REFRESH_SECONDS = 1.0


class AsOf:
    """The header of each call's answers; `timeout` (seconds) limits one read of the watermarks."""

    def __init__(self, store: Watermarks, timeout: float) -> None:
        self._store = store
        self._timeout = timeout
        self._partitions = 0
        self._headers: Mapping[int, Mapping[str, str]] = {}

    def header(self, call_id: str) -> Mapping[str, str]:
        """Return the header for an answer whose call is read after this; none if nothing is known of the partition."""
        if not self._partitions:
            return {}
        return self._headers.get(partition_of(call_id, self._partitions), {})

    async def refresh(self) -> None:
        """Read the watermarks.

        Raises:
            StoreUnavailable, TimeoutError: the store does not answer; the last ones stay.
        """
        async with asyncio.timeout(self._timeout):
            watermarks = await self._store.watermarks()
        self._partitions, untils = _by_partition(watermarks)
        self._headers = {partition: {AS_OF: rfc3339(until)} for partition, until in untils.items()}

    def refreshed(self) -> AbstractAsyncContextManager[None]:
        """Return a context within which the watermarks are refreshed again and again; requests report an outage."""
        return repeated(self.refresh, REFRESH_SECONDS, StoreUnavailable, TimeoutError)


def _by_partition(watermarks: Mapping[int, Watermark]) -> tuple[int, Mapping[int, int]]:
    """Return how many partitions there are, and until when each is written, as far as that is known."""
    numbers = {each.partitions for each in watermarks.values()}
    if not numbers:
        return 0, {}
    partitions = max(numbers)
    known = {
        key: each.until for key, each in watermarks.items() if 0 <= key < partitions and 0 < each.until < LATEST_MS
    }
    if len(numbers) == 1:
        return partitions, known
    # Partitions were added, and not every worker has noticed yet: a call may have events in an old one and a new one.
    if len(known) < partitions:
        return partitions, {}
    return partitions, dict.fromkeys(known, min(known.values()))
