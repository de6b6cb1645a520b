"""A store for a process of the pool that hangs, eats memory or crashes when the call of that name is read."""

import os
import time
from dataclasses import dataclass
from pathlib import Path

from shared.store.memory.calls import MemoryStore
from shared.store.models import StoredCall
from shared.store.ports import Store

HANGS, IS_HUNGRY, DIES = "o/hangs", "o/is-hungry", "o/dies"


class _FailingStore(MemoryStore):
    def __init__(self, hanging: Path | None) -> None:
        super().__init__()
        self._hanging = hanging

    async def find(self, call: str) -> StoredCall | None:
        """Return, for any other call, that it was never seen."""
        match call:
            case "o/hangs":
                if self._hanging:
                    self._hanging.touch()
                time.sleep(3600)  # noqa: ASYNC251 - this is what is wrong with it
            case "o/is-hungry":
                eaten = []
                while True:
                    eaten.append(bytearray(1024 * 1024))
            case "o/dies":
                os.abort()
        return None


@dataclass(frozen=True)
class OpensFailingStore:
    """Opens such a store, or fails to; `hanging` is a file that is there once a call hangs."""

    fails: bool = False
    key: str = ""
    hanging: Path | None = None

    def __call__(self) -> Store:
        if self.fails:
            raise OSError("the store cannot be opened")
        return _FailingStore(self.hanging)
