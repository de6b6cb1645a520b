"""A pause between fetches: answers of a few records each cost more than all that is done with the records."""

import asyncio
import math
import time
from typing import Any

from aiokafka.consumer.fetcher import Fetcher


def pace(fetcher: Fetcher, seconds: float) -> None:
    """Let the fetcher ask each broker once in so many seconds at most.

    The broker could gather instead (`fetch.min.bytes`), but it would then answer as often when nothing comes.
    """
    fetch = fetcher._proc_fetch_request  # noqa: SLF001 - it fetches as soon as it can
    asked: dict[int, float] = {}

    async def paced(assignment: Any, node_id: int, request: Any) -> bool:
        try:
            await asyncio.sleep(asked.get(node_id, -math.inf) + seconds - time.monotonic())
        except asyncio.CancelledError:
            return False  # as when it is cancelled while it fetches
        asked[node_id] = time.monotonic()
        brought: bool = await fetch(assignment, node_id, request)
        return brought

    fetcher._proc_fetch_request = paced  # noqa: SLF001
