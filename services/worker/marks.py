"""PURE: which calls of a batch have to be marked, by what the look found of them."""

from collections.abc import Mapping

from cachetools import LRUCache

from services.worker.batch import CallBatch
from shared.store.port import Mark, Sighting
from shared.store.states import SETTLED, State

_ARRIVAL_OUTDATED_MS = 5 * 60 * 1000
_FEWEST_NEW = 50
_CALLS_REMEMBERED = 50_000


class Growth:
    """How many events each live call has brought since it was last marked, as far as this worker remembers.

    A live call is folded too when it has doubled, so that MongoDB shows it as well: each event is folded a constant
    number of times that way, however long the call.
    """

    def __init__(self) -> None:
        self._events: LRUCache[str, int] = LRUCache(_CALLS_REMEMBERED)

    def doubled(self, call: str, events: int, stored: int) -> bool:
        """Count `events` more; tell whether the call has brought as many as its stored record holds."""
        grown = self._events.get(call, 0) + events
        due = grown >= max(_FEWEST_NEW, stored)
        self._events[call] = 0 if due else grown
        return due


def mark_of(call: CallBatch, found: Sighting | None, growth: Growth) -> Mark | None:
    """Return the mark that a call needs, or None: one that is live or stale needs nothing.

    What ends, opts out, or was found as settled is marked whatever its state is by the time of the mark.
    """
    if call.ends or call.opts_out or (found is not None and found.state in SETTLED):
        return _mark(call, stale=True)
    if found is None:
        return _mark(call, stale=growth.doubled(call.key, call.events, 0))
    if found.state is State.LIVE and growth.doubled(call.key, call.events, found.stored_events):
        return _mark(call, stale=True)
    if call.last_arrival - found.last_arrival > _ARRIVAL_OUTDATED_MS:
        return _mark(call, stale=False)
    return None


def marks_of(calls: Mapping[str, CallBatch], seen: Mapping[str, Sighting], growth: Growth) -> list[Mark]:
    """Return the marks that a batch calls for."""
    marks = (mark_of(call, seen.get(key), growth) for key, call in calls.items())
    return [mark for mark in marks if mark is not None]


def _mark(call: CallBatch, *, stale: bool) -> Mark:
    return Mark(call.key, call.partition, call.last_arrival, stale, call.opts_out)
