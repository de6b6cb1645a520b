"""Waiting for what happens elsewhere."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any


async def eventually(holds: Callable[[], Any], within: float = 20.0) -> None:
    """Return when `holds()` is true; fail if that is not within so many seconds."""

    async def check() -> Any:
        return holds()

    await eventually_async(check, within)


async def eventually_async(holds: Callable[[], Awaitable[Any]], within: float = 20.0) -> None:
    """The same for what has to be awaited."""
    deadline = time.monotonic() + within
    while not await holds():
        assert time.monotonic() < deadline, f"it did not happen within {within} seconds"
        await asyncio.sleep(0.1)
