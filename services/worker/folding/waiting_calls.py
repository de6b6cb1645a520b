"""The stale calls of one partition that are not due, in the two orders in which they become due."""

import heapq
from dataclasses import dataclass
from typing import Any

from shared.store.models import StaleCall

_Heap = list[tuple[int, int, "WaitingCall"]]
# From so many on, all are looked through once: a heap gives them one by one.
_MANY = 1_000


@dataclass(slots=True, eq=False)
class WaitingCall:
    """A call that waits for a fold; times are Unix milliseconds, `number` is that of its first observation.

    It `waits` if it is neither due nor postponed.
    """

    call: str
    partition: int
    last_arrival: int
    stale_since: int
    number: int
    waits: bool = False
    postponed: bool = False
    listed: bool = False
    long_stale: bool = False

    @property
    def order(self) -> tuple[int, int, Any]:
        """Its place among the calls that are due; the number is unique, so that no calls are compared."""
        return self.stale_since, self.number, self

    def as_stale(self) -> StaleCall:
        return StaleCall(self.call, self.partition, self.last_arrival, self.stale_since)


class WaitingCalls:
    """Heaps keep a call that left by another way, until its time has come.

    A later arrival does not move a call, as each batch brings one: it is moved when its listed arrival is quiet.
    """

    def __init__(self) -> None:
        self._by_arrival: _Heap = []
        self._by_stale_since: _Heap = []
        self._long_stale: dict[int, WaitingCall] = {}

    def add(self, waiting: WaitingCall) -> None:
        """Add a call that is new."""
        heapq.heappush(self._by_stale_since, waiting.order)
        self.put_back(waiting)

    def put_back(self, waiting: WaitingCall) -> None:
        """Add a call that was removed."""
        waiting.waits = True
        if not waiting.listed:
            waiting.listed = True
            heapq.heappush(self._by_arrival, (waiting.last_arrival, waiting.number, waiting))
        if waiting.long_stale:
            self._long_stale[waiting.number] = waiting

    def pop_quiet(self, until: int) -> list[WaitingCall]:
        """Remove and return the calls whose last arrival is not after `until`."""
        quiet = []
        for waiting in _pop_until(self._by_arrival, until):
            waiting.listed = False
            if not waiting.waits:
                continue
            if waiting.last_arrival > until:
                waiting.listed = True
                heapq.heappush(self._by_arrival, (waiting.last_arrival, waiting.number, waiting))
            else:
                waiting.waits = False
                self._long_stale.pop(waiting.number, None)
                quiet.append(waiting)
        return quiet

    def pop_stale(self, until: int, *, at_end: bool) -> list[WaitingCall]:
        """Remove and return the calls that became stale not after `until`, if the worker is at the end."""
        for waiting in _pop_until(self._by_stale_since, until):
            waiting.long_stale = True
            if waiting.waits:
                self._long_stale[waiting.number] = waiting
        if not at_end or not self._long_stale:
            return []
        stale, self._long_stale = list(self._long_stale.values()), {}
        for waiting in stale:
            waiting.waits = False
        return stale


def _pop_until(heap: _Heap, until: int) -> list[WaitingCall]:
    """Remove and return what is listed not after `until`."""
    found: list[WaitingCall] = []
    while heap and heap[0][0] <= until:
        if len(found) == _MANY:
            found += [waiting for at, _, waiting in heap if at <= until]
            heap[:] = [each for each in heap if each[0] > until]
            heapq.heapify(heap)
        else:
            found.append(heapq.heappop(heap)[2])
    return found
