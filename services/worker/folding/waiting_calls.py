"""The stale calls of one partition that are not due, in the two orders in which they become due."""

import heapq
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from shared.store.models import StaleCall

_Heap = list[tuple[int, int, "WaitingCall"]]
SLICE = 1_000
"""How many calls are looked at, in a few milliseconds, while nothing else of the worker goes on."""


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

    def pop_quiet(self, until: int) -> Iterator[list[WaitingCall]]:
        """Remove and yield, in slices, the calls whose last arrival is not after `until`."""
        while listed := _pop_until(self._by_arrival, until):
            yield self._quiet(listed, until)

    def _quiet(self, listed: Iterable[WaitingCall], until: int) -> list[WaitingCall]:
        quiet = []
        for waiting in listed:
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

    def pop_stale(self, until: int, *, at_end: bool) -> Iterator[list[WaitingCall]]:
        """Remove and yield, in slices, the calls that became stale not after `until`, if the worker is at the end."""
        while listed := _pop_until(self._by_stale_since, until):
            for waiting in listed:
                waiting.long_stale = True
                if waiting.waits:
                    self._long_stale[waiting.number] = waiting
            yield []
        while at_end and self._long_stale:
            stale = [self._long_stale.popitem()[1] for _ in range(min(SLICE, len(self._long_stale)))]
            for waiting in stale:
                waiting.waits = False
            yield stale


def _pop_until(heap: _Heap, until: int) -> list[WaitingCall]:
    """Remove and return what is listed not after `until`, at most a slice of it."""
    found: list[WaitingCall] = []
    while heap and heap[0][0] <= until and len(found) < SLICE:
        found.append(heapq.heappop(heap)[2])
    return found
