"""A write of its own, in memory."""

from shared.store.ports import StoreUnavailable


class MemoryWriteProbe:
    """Implements `WriteProbe`; it fails with `error` while that is set."""

    def __init__(self, error: StoreUnavailable | None = None) -> None:
        self.error = error

    async def write(self) -> None:
        if self.error:
            raise self.error
