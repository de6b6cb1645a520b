"""PURE: which calls of a batch have to be marked, by what the look found of them."""

from collections.abc import Mapping

from cachetools import LRUCache

from services.worker.ingest.decode_batch import CallBatch
from shared.config.policies import LONGEST_SLACK_MS
from shared.store.models import CallSnapshot, CallUpdate
from shared.store.states import SETTLED, State

_FEWEST_NEW = 50
_CALLS_REMEMBERED = 50_000


class GrowthTrigger:
    """How many events each live call has brought since it was last marked, as far as this worker remembers.

    A live call is folded too when it has doubled, so that MongoDB shows it as well: each event is folded a constant
    number of times that way, however long the call.
    """

    def __init__(self) -> None:
        self._events: LRUCache[str, int] = LRUCache(_CALLS_REMEMBERED)

    def is_due(self, call: str, events: int, stored: int) -> bool:
        """Count `events` more; tell whether the call has brought as many as its stored record holds."""
        grown = self._events.get(call, 0) + events
        due = grown >= max(_FEWEST_NEW, stored)
        self._events[call] = 0 if due else grown
        return due


def update_of(
    call: CallBatch, found: CallSnapshot | None, growth: GrowthTrigger, slack_ms: int = LONGEST_SLACK_MS
) -> CallUpdate | None:
    """Return the mark that a call needs, or None: one that is live or stale needs nothing.

    What ends, opts out, or was found as settled is marked whatever its state is by the time of the mark. A call's last
    arrival is moved when it lies more than `slack_ms` behind.
    """
    if call.ends or call.opts_out or (found is not None and found.state in SETTLED):
        return _mark(call, stale=True)
    if found is None:
        return _mark(call, stale=growth.is_due(call.key, call.events, 0))
    if found.state is State.LIVE and growth.is_due(call.key, call.events, found.stored_events):
        return _mark(call, stale=True)
    if call.last_arrival - found.last_arrival > slack_ms:
        # A stale call may be claimed by now, and a folder's result would put back the arrival that it has claimed.
        return _mark(call, stale=found.state is State.STALE)
    return None


def updates_of(
    calls: Mapping[str, CallBatch],
    seen: Mapping[str, CallSnapshot],
    growth: GrowthTrigger,
    slack_ms: int = LONGEST_SLACK_MS,
) -> list[CallUpdate]:
    """Return the marks that a batch calls for."""
    marks = (update_of(call, seen.get(key), growth, slack_ms) for key, call in calls.items())
    return [mark for mark in marks if mark is not None]


def _mark(call: CallBatch, *, stale: bool) -> CallUpdate:
    return CallUpdate(call.key, call.partition, call.last_arrival, stale, call.opts_out)
