"""Why a partition is behind: what can be shown, the most certain first."""

from shared.lag.history import History
from shared.lag.models import Cause, GroupState, Health, Reading, Verdict
from shared.lag.trail import BEHIND_SECONDS, Trail

_NOTHING_MOVES = frozenset({Verdict.STALLED, Verdict.NO_OWNER})
_WITHOUT_MEMBERS = frozenset({GroupState.EMPTY, GroupState.DEAD})


def cause_of(verdict: Verdict, trail: Trail, history: History, reading: Reading) -> Cause:
    """Return the cause of a verdict: NONE of ok, UNKNOWN where none can be shown."""
    if verdict is Verdict.OK:
        return Cause.NONE
    if reading.kafka is Health.UNAVAILABLE:
        return Cause.KAFKA_UNAVAILABLE
    if verdict is Verdict.UNKNOWN:
        return Cause.UNKNOWN
    return _of_dependency(verdict, history, reading) or _of_worker(verdict, trail, history, reading)


def _of_dependency(verdict: Verdict, history: History, reading: Reading) -> Cause | None:
    """Return what the workers lack, or what they are busy with."""
    if reading.mongodb is Health.UNAVAILABLE:
        return Cause.MONGODB_UNAVAILABLE
    if reading.group in _WITHOUT_MEMBERS or reading.members == 0:
        return Cause.NO_WORKER
    if history.rebalances or (verdict in _NOTHING_MOVES and reading.group is GroupState.REBALANCING):
        return Cause.REBALANCE
    return Cause.MONGODB_SLOW if history.mongodb_slow else None


def _of_worker(verdict: Verdict, trail: Trail, history: History, reading: Reading) -> Cause:
    if verdict is Verdict.STALLED:
        # What is not known of MongoDB may be the cause.
        well = reading.mongodb in {Health.WELL, Health.SLOW}
        frozen = well and trail.owned and not history.owner_commits(trail)
        return Cause.WORKER_FROZEN if frozen else Cause.UNKNOWN
    if verdict is Verdict.NO_OWNER:
        return Cause.UNKNOWN
    return Cause.BACKLOG if _commits_arrive(trail, history) else Cause.UNKNOWN


def _commits_arrive(trail: Trail, history: History) -> bool:
    """Return whether the last commit is so recent that the worker does write; else it may have stopped just now."""
    still_since = history.stands_still_since(trail)
    waited = 0.0 if still_since is None else history.now - still_since
    return waited <= max(BEHIND_SECONDS, trail.wait_seconds / 2)
