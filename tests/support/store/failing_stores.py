"""A store for a process of the pool that hangs, eats memory or crashes when the call of that name is read."""

import os
import time
from dataclasses import dataclass

from shared.store.memory.calls import MemoryStore
from shared.store.models import StoredCall
from shared.store.ports import Store


class _FailingStore(MemoryStore):
    async def find(self, call: str) -> StoredCall | None:
        if call in _FAILURES:
            _FAILURES[call]()
        return None


def _hang() -> None:
    time.sleep(3600)


def _eat() -> None:
    eaten = []
    while True:
        eaten.append(bytearray(1024 * 1024))


HANGS, IS_HUNGRY, DIES = "o/hangs", "o/is-hungry", "o/dies"
_FAILURES = {HANGS: _hang, IS_HUNGRY: _eat, DIES: os.abort}


@dataclass(frozen=True)
class OpensFailingStore:
    """Opens the store, or fails."""

    fails: bool = False
    key: str = ""

    def __call__(self) -> Store:
        if self.fails:
            raise OSError("the store cannot be opened")
        return _FailingStore()
