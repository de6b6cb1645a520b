"""When a stale call is due for a fold.

Nothing is folded in the middle of a backlog. The telephony topic is short and is drained first: a record folded when
`call.ended` arrives would hold a tenth of its events, or be folded again after each later batch.
"""

import heapq
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain, count

from sortedcontainers import SortedList

from services.worker.folding.waiting_calls import SLICE, WaitingCall, WaitingCalls
from shared.store.models import StaleCall

QUIET_MS = 1_000
"""Quiet period: a call is due when both topics are written past its last arrival by so much."""

BACKLOG_MS = 2_000
"""A worker whose watermark is so far behind drains a backlog."""

BACKLOG_QUIET_MS = 30_000
"""Quiet period in a backlog: the rest of a call may still be unread, as it arrived a while after its end."""

ACTIVE_MS = 5_000
"""A call that keeps getting events is due so long after it became stale, if the worker is at the end."""

_PAUSE_MS = 2_000
_PAUSE_FOLDS = 50
_MOST_CALLS = 200_000


@dataclass(frozen=True, slots=True)
class Watermark:
    """How far a partition of both topics is written: `until` is an arrival; `at_end` if that is the end of both."""

    until: int
    at_end: bool


class FoldSchedule:
    """The stale calls that a worker knows; all times are Unix milliseconds.

    Their number is bounded: the fold loop finds the others in the store again. A tick looks at the calls that have
    become due or may be folded, not at those that wait: many thousands in a backlog.
    """

    def __init__(self) -> None:
        self._known: dict[str, WaitingCall] = {}
        self._numbers = count()
        # Each known call is in one of these, or postponed.
        self._waiting: defaultdict[int, WaitingCalls] = defaultdict(WaitingCalls)
        self._due: SortedList[tuple[int, int, WaitingCall]] = SortedList()  # or were, when they were last looked at
        # Of folds that have just been made: the longer a pause, the longer took its fold, so that these are few.
        self._not_before: dict[str, int] = {}
        self._pauses: list[tuple[int, str]] = []

    def __len__(self) -> int:
        return len(self._known)

    def observe(self, call: str, partition: int, last_arrival: int, *, stale_since: int | None) -> None:
        """Add a stale call, or its later arrival; `stale_since` is None if an earlier update made it stale."""
        known = self._known.get(call)
        if known is not None:
            known.last_arrival = max(known.last_arrival, last_arrival)
        elif len(self._known) < _MOST_CALLS:
            since = last_arrival if stale_since is None else stale_since
            waiting = WaitingCall(call, partition, last_arrival, since, next(self._numbers))
            self._known[call] = waiting
            self._waiting[partition].add(waiting)

    def add(self, waiting: Iterable[StaleCall]) -> None:
        """Add calls that are stale in the store."""
        for each in waiting:
            self.observe(each.call, each.partition, each.last_arrival, stale_since=each.stale_since)

    def pop_due(self, watermarks: Mapping[int, Watermark], now: int, limit: int) -> list[StaleCall]:
        """Remove and return at most `limit` calls that are due by the watermarks of their partitions.

        If more are due, half of them are the oldest and half the newest: workers that died may have left many
        thousands, and a call that ends now does not wait for all of them.
        """
        for _ in self.find_due(watermarks, now):
            pass
        newest = limit // 2
        due = self._take_due(0, limit - newest, watermarks, now)
        due += reversed(self._take_due(-1, newest, watermarks, now))
        return [waiting.as_stale() for waiting in due]

    def find_due(self, watermarks: Mapping[int, Watermark], now: int) -> Iterator[None]:
        """Find the calls that are due, and yield after each slice: `pop_due` at the same time has little left to do.

        All that wait may become due at once, or be due no more: when the worker has drained a backlog.
        """
        self._end_pauses(now)
        yield from self._let_wait(0, watermarks, now)
        yield from self._let_wait(-1, watermarks, now)
        for partition in watermarks.keys() & self._waiting.keys():
            watermark, calls = watermarks[partition], self._waiting[partition]
            quiet = calls.pop_quiet(_quiet_until(watermark, now))
            for found in chain(quiet, calls.pop_stale(now - ACTIVE_MS, at_end=watermark.at_end)):
                self._due.update([waiting.order for waiting in found])
                yield

    def folded(self, call: str, now: int, seconds: float) -> None:
        """Postpone the next fold of a call that was folded, the longer the more seconds its fold took."""
        not_before = now + max(_PAUSE_MS, int(_PAUSE_FOLDS * seconds * 1000))
        self._not_before[call] = not_before
        heapq.heappush(self._pauses, (not_before, call))

    def drop_others(self, partitions: Iterable[int]) -> None:
        """Drop the calls of all partitions but these: other workers own them now."""
        owned = set(partitions)
        lost = self._waiting.keys() - owned
        for partition in lost:
            del self._waiting[partition]
        if not lost:
            return
        self._known = {call: waiting for call, waiting in self._known.items() if waiting.partition in owned}
        self._due = SortedList(waiting.order for _, _, waiting in self._due if waiting.partition in owned)

    def _end_pauses(self, now: int) -> None:
        while self._pauses and self._pauses[0][0] <= now:
            until, call = heapq.heappop(self._pauses)
            if self._not_before.get(call) == until:  # or it was folded again
                del self._not_before[call]
                waiting = self._known.get(call)
                if waiting is not None and waiting.postponed:
                    waiting.postponed = False
                    self._waiting[waiting.partition].put_back(waiting)

    def _let_wait(self, end: int, watermarks: Mapping[int, Watermark], now: int) -> Iterator[None]:
        """Remove calls from one end, 0 or -1, until one is due; they are due no more, or not yet again."""
        for looks in count(1):
            if not self._due or self._may_be_folded(self._due[end][2], watermarks, now):
                return
            self._put_back(self._due.pop(end)[2])
            if looks % SLICE == 0:
                yield

    def _take_due(self, end: int, most: int, watermarks: Mapping[int, Watermark], now: int) -> list[WaitingCall]:
        """Remove and return calls from one end, 0 or -1; let those wait between them that may not be folded."""
        taken: list[WaitingCall] = []
        while len(taken) < most and self._due:
            _, _, waiting = self._due.pop(end)
            if self._may_be_folded(waiting, watermarks, now):
                del self._known[waiting.call]
                taken.append(waiting)
            else:
                self._put_back(waiting)
        return taken

    def _may_be_folded(self, waiting: WaitingCall, watermarks: Mapping[int, Watermark], now: int) -> bool:
        return waiting.call not in self._not_before and _is_due(waiting, watermarks.get(waiting.partition), now)

    def _put_back(self, waiting: WaitingCall) -> None:
        if waiting.call in self._not_before:
            waiting.postponed = True
        else:
            self._waiting[waiting.partition].put_back(waiting)


def _quiet_until(watermark: Watermark, now: int) -> int:
    """Return the last arrival of a call that has been quiet for long enough."""
    return watermark.until - (QUIET_MS if now - watermark.until <= BACKLOG_MS else BACKLOG_QUIET_MS)


def _is_due(waiting: WaitingCall, watermark: Watermark | None, now: int) -> bool:
    if watermark is None:
        return False
    quiet = waiting.last_arrival <= _quiet_until(watermark, now)
    return quiet or (watermark.at_end and now >= waiting.stale_since + ACTIVE_MS)
