"""How many batches are being written, and the wait until none is."""

import asyncio


class InProgress:
    """Counts the batches that are being written: `with in_progress:` while one is."""

    def __init__(self) -> None:
        self._count = 0
        self._none = asyncio.Event()
        self._none.set()

    def __bool__(self) -> bool:
        return self._count > 0

    def __enter__(self) -> None:
        self._count += 1
        self._none.clear()

    def __exit__(self, *_: object) -> None:
        self._count -= 1
        if not self._count:
            self._none.set()

    async def ended(self) -> None:
        """Return when no batch is being written."""
        while self._count:  # another one may have begun before this task runs
            await self._none.wait()
