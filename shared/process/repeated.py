"""What a process does again and again in the background."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from shared.process.logs import logger

log = logger(__name__)


@asynccontextmanager
async def repeated(
    act: Callable[[], Awaitable[None]], seconds: float, *unreported: type[Exception]
) -> AsyncIterator[None]:
    """Run `act` at once and every so many seconds while the context lasts.

    Its errors are logged, but for those that are `unreported`, because others report them.
    """
    task = asyncio.create_task(_repeat(act, seconds, unreported))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task])


async def _repeat(act: Callable[[], Awaitable[None]], seconds: float, unreported: tuple[type[Exception], ...]) -> None:
    while True:
        try:
            await act()
        except unreported:
            pass
        except Exception:
            log.exception("background_task_failed", task=getattr(act, "__qualname__", "unknown"))
        await asyncio.sleep(seconds)
