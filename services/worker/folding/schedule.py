"""PURE: when a stale call is ripe to be folded.

Nothing is folded in the middle of a backlog: the telephony topic is short and is drained first, and a record that is
folded when `call.ended` comes would hold a tenth of its events, or be folded again at each later batch.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from cachetools import LRUCache

from shared.store.models import StaleCall

QUIET_MS = 1_000
"""A call is ripe when both topics were read past its last arrival by so much."""

BEHIND_MS = 2_000
"""A worker whose writing lies so far back drains a backlog."""

QUIET_IN_A_BACKLOG_MS = 30_000
"""Then the rest of a call may still lie ahead, arrived a while after what ended it: it must have been quiet longer."""

TALKING_MS = 5_000
"""A call that keeps talking is ripe so long after its mark, if the worker stands at the end."""

_PAUSE_MS = 2_000
_PAUSE_FOLDS = 50
_MOST_REMEMBERED = 200_000


@dataclass(frozen=True, slots=True)
class Watermark:
    """How far one partition of both topics is written: until which arrival, and whether that is the end of both."""

    until: int
    at_end: bool


class FoldSchedule:
    """The stale calls that a worker knows of; all times are Unix milliseconds.

    Holds a bounded number of them: what falls out is found again in the store.
    """

    def __init__(self) -> None:
        self._waiting: dict[str, StaleCall] = {}
        self._not_before: LRUCache[str, int] = LRUCache(_MOST_REMEMBERED)

    def __len__(self) -> int:
        return len(self._waiting)

    def note(self, call: str, partition: int, last_arrival: int, *, stale_since: int | None) -> None:
        """Take in that a call is stale; `stale_since` is None if another mark made it so."""
        known = self._waiting.get(call)
        if known is not None:
            if last_arrival > known.last_arrival:
                self._waiting[call] = replace(known, last_arrival=last_arrival)
        elif len(self._waiting) < _MOST_REMEMBERED:
            self._waiting[call] = StaleCall(
                call, partition, last_arrival, last_arrival if stale_since is None else stale_since
            )

    def add(self, waiting: Iterable[StaleCall]) -> None:
        """Take in calls that the store says are stale."""
        for each in waiting:
            self.note(each.call, each.partition, each.last_arrival, stale_since=each.stale_since)

    def take(self, watermarks: Mapping[int, Watermark], now: int, limit: int) -> list[StaleCall]:
        """Remove and return calls that are ripe, given how far their partitions are written.

        Of more than `limit`, half are those that wait longest, and half the newest: a dead fleet may have left many
        thousands, and a call that ends now is not to wait for all of them.
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
        """Take in that a call was folded, so that it is not folded again at once, the less so the longer it took."""
        self._not_before[call] = now + max(_PAUSE_MS, int(_PAUSE_FOLDS * seconds * 1000))

    def keep(self, partitions: Iterable[int]) -> None:
        """Forget the calls of all other partitions: they are others' by now."""
        owned = set(partitions)
        self._waiting = {call: waiting for call, waiting in self._waiting.items() if waiting.partition in owned}

    def _is_due(self, waiting: StaleCall, watermark: Watermark, now: int) -> bool:
        if self._not_before.get(waiting.call, 0) > now:
            return False
        pause = QUIET_MS if now - watermark.until <= BEHIND_MS else QUIET_IN_A_BACKLOG_MS
        quiet = watermark.until >= waiting.last_arrival + pause
        return quiet or (watermark.at_end and now >= waiting.stale_since + TALKING_MS)
