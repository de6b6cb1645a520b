"""Which calls of a batch need an update, by their snapshots."""

from collections.abc import Mapping

from cachetools import LRUCache

from services.worker.ingest.decode_batch import CallBatch
from shared.config.policies import LONGEST_SLACK_MS
from shared.store.models import CallSnapshot, CallUpdate
from shared.store.states import SETTLED, State

_FEWEST_EVENTS = 50
_MOST_CALLS = 50_000


class GrowthTrigger:
    """How many events each live call got since it was last marked stale, for the calls that this worker saw last.

    A live call is folded when its log has doubled, so that MongoDB has a record of it: however long the call, each
    event is folded a constant number of times.
    """

    def __init__(self) -> None:
        self._events: LRUCache[str, int] = LRUCache(_MOST_CALLS)

    def is_due(self, call: str, events: int, stored: int) -> bool:
        """Add `events` to the count; return whether the call got as many as its stored record has."""
        grown = self._events.get(call, 0) + events
        due = grown >= max(_FEWEST_EVENTS, stored)
        self._events[call] = 0 if due else grown
        return due


def update_of(
    call: CallBatch, snapshot: CallSnapshot | None, growth: GrowthTrigger, slack_ms: int = LONGEST_SLACK_MS
) -> CallUpdate | None:
    """Return the update that a call needs, None if it needs none: most live and stale calls do not.

    A call that ends, opts out or is settled is marked stale whatever its state is by then. Its last arrival is updated
    when it is more than `slack_ms` behind. A damaged header is replaced.
    """
    if snapshot is not None and snapshot.damaged:
        return CallUpdate(
            call.key, call.partition, call.last_arrival, stale=True, opted_out=call.opts_out, damaged=True
        )
    if call.ends or call.opts_out or (snapshot is not None and snapshot.state in SETTLED):
        return _update(call, stale=True)
    if snapshot is None:
        return _update(call, stale=growth.is_due(call.key, call.events, 0))
    if snapshot.state is State.LIVE and growth.is_due(call.key, call.events, snapshot.stored_events):
        return _update(call, stale=True)
    if call.last_arrival - snapshot.last_arrival > slack_ms:
        # A stale call may be leased by now, and the result of that fold would put the earlier arrival back.
        return _update(call, stale=snapshot.state is State.STALE)
    return None


def updates_of(
    calls: Mapping[str, CallBatch],
    snapshots: Mapping[str, CallSnapshot],
    growth: GrowthTrigger,
    slack_ms: int = LONGEST_SLACK_MS,
) -> list[CallUpdate]:
    """Return the updates that a batch needs."""
    updates = (update_of(call, snapshots.get(key), growth, slack_ms) for key, call in calls.items())
    return [update for update in updates if update is not None]


def _update(call: CallBatch, *, stale: bool) -> CallUpdate:
    return CallUpdate(call.key, call.partition, call.last_arrival, stale, call.opts_out)
