"""When a stale call is due for a fold.

Nothing is folded in the middle of a backlog. The telephony topic is short and is drained first: a record folded when
`call.ended` arrives would hold a tenth of its events, or be folded again after each later batch.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from cachetools import LRUCache

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

    Their number is bounded: the fold loop finds the others in the store again.
    """

    def __init__(self) -> None:
        self._waiting: dict[str, StaleCall] = {}
        self._not_before: LRUCache[str, int] = LRUCache(_MOST_CALLS)

    def __len__(self) -> int:
        return len(self._waiting)

    def observe(self, call: str, partition: int, last_arrival: int, *, stale_since: int | None) -> None:
        """Add a stale call, or its later arrival; `stale_since` is None if an earlier update made it stale."""
        known = self._waiting.get(call)
        if known is not None:
            if last_arrival > known.last_arrival:
                self._waiting[call] = replace(known, last_arrival=last_arrival)
        elif len(self._waiting) < _MOST_CALLS:
            self._waiting[call] = StaleCall(
                call, partition, last_arrival, last_arrival if stale_since is None else stale_since
            )

    def add(self, waiting: Iterable[StaleCall]) -> None:
        """Add calls that are stale in the store."""
        for each in waiting:
            self.observe(each.call, each.partition, each.last_arrival, stale_since=each.stale_since)

    def pop_due(self, watermarks: Mapping[int, Watermark], now: int, limit: int) -> list[StaleCall]:
        """Remove and return at most `limit` calls that are due by the watermarks of their partitions.

        If more are due, half of them are the oldest and half the newest: workers that died may have left many
        thousands, and a call that ends now does not wait for all of them.
        """
        due = [
            waiting
            for waiting in self._waiting.values()
            if (watermark := watermarks.get(waiting.partition)) is not None and self._is_due(waiting, watermark, now)
        ]
        if len(due) > limit:
            due.sort(key=lambda waiting: waiting.stale_since)
            newest = limit // 2
            due = due[: limit - newest] + due[len(due) - newest :]
        for waiting in due:
            del self._waiting[waiting.call]
        return due

    def folded(self, call: str, now: int, seconds: float) -> None:
        """Postpone the next fold of a call that was folded, the longer the more seconds its fold took."""
        self._not_before[call] = now + max(_PAUSE_MS, int(_PAUSE_FOLDS * seconds * 1000))

    def drop_others(self, partitions: Iterable[int]) -> None:
        """Drop the calls of all partitions but these: other workers own them now."""
        owned = set(partitions)
        self._waiting = {call: waiting for call, waiting in self._waiting.items() if waiting.partition in owned}

    def _is_due(self, waiting: StaleCall, watermark: Watermark, now: int) -> bool:
        if self._not_before.get(waiting.call, 0) > now:
            return False
        pause = QUIET_MS if now - watermark.until <= BACKLOG_MS else BACKLOG_QUIET_MS
        quiet = watermark.until >= waiting.last_arrival + pause
        return quiet or (watermark.at_end and now >= waiting.stale_since + ACTIVE_MS)
