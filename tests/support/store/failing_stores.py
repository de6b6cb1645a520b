"""Stores for a process of the pool that make trouble there, each in the call that is named after it."""

import os
import time
from dataclasses import dataclass

from shared.store.memory.calls import MemoryStore
from shared.store.models import StoredCall
from shared.store.ports import Store


class _Odd(MemoryStore):
    async def find(self, call: str) -> StoredCall | None:
        """Return, for any other call, that it was never seen."""
        if call in _TROUBLES:
            _TROUBLES[call]()
        return None


def _hang() -> None:
    time.sleep(3600)


def _eat() -> None:
    eaten = []
    while True:
        eaten.append(bytearray(1024 * 1024))


HANGS, IS_HUNGRY, DIES = "o/hangs", "o/is-hungry", "o/dies"
_TROUBLES = {HANGS: _hang, IS_HUNGRY: _eat, DIES: os.abort}


@dataclass(frozen=True)
class OpensOdd:
    """Opens such a store, or fails to."""

    fails: bool = False
    key: str = ""

    def __call__(self) -> Store:
        if self.fails:
            raise OSError("the store cannot be opened")
        return _Odd()
