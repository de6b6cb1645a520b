"""The verdict on each partition, by its movement over a window, and on all of them together."""

from collections.abc import Callable, Sequence
from math import inf
from typing import TypeVar

from shared.lag.cause import cause_of
from shared.lag.history import History
from shared.lag.models import Cause, GroupState, Health, Lag, PartitionLag, Reading, Verdict
from shared.lag.trail import BUSY_SECONDS, WAIT_SECONDS, Trail

SEVERITY = (
    Verdict.OK,
    Verdict.CATCHING_UP,
    Verdict.FALLING_BEHIND,
    Verdict.UNKNOWN,
    Verdict.STALLED,
    Verdict.NO_OWNER,
)
"""The verdicts, the best first: the last that a partition has is that of the group."""

Number = TypeVar("Number", int, float)

_WITHOUT_MEMBERS = frozenset({GroupState.EMPTY, GroupState.DEAD})
_FIRST_LOOK_SECONDS = 2.5
_STORM_AGE_SECONDS = 2.0
_STORM_SECONDS = 15.0


def judge(group: str, history: History | Sequence[Reading]) -> Lag:
    """Return how far the group is behind, and what that means, at the last reading. Without one all is unknown."""
    known = history if isinstance(history, History) else History(history)
    reading = known.latest or Reading(0.0, Health.UNKNOWN, Health.UNKNOWN, GroupState.UNKNOWN)
    parts = [_partition(key, known.trails[key], known, reading) for key in sorted(known.trails)]
    verdict, cause = _of_all(parts, known, reading)
    seen = parts if reading.whole else []
    return Lag(
        at=reading.at,
        group=group,
        state=reading.group,
        members=reading.members,
        kafka=reading.kafka,
        mongodb=reading.mongodb,
        verdict=verdict,
        cause=cause,
        since=_since(parts, reading, verdict),
        lag=_of_known(sum, [part.lag for part in seen]),
        lag_seconds=_of_known(max, [part.lag_seconds for part in seen]),
        drain_seconds=_drain_all(seen, verdict, known.whole),
        partitions=parts,
        hidden=reading.hidden,
    )


def verdict_of(trail: Trail, history: History, reading: Reading) -> Verdict:
    """Return the verdict on a partition. It is never ok with something unknown."""
    if (last := trail.last) is None:
        return Verdict.UNKNOWN
    if _without_owner(trail, history, reading):
        return Verdict.NO_OWNER
    if _waits(trail, history):
        return Verdict.STALLED
    if _behind(trail, history):
        return _direction(trail, history)
    known = last.age is not None and reading.group is not GroupState.UNKNOWN and trail.ever_owned
    return Verdict.OK if known else Verdict.UNKNOWN


def _without_owner(trail: Trail, history: History, reading: Reading) -> bool:
    """Return whether nobody has owned the partition for longer than a rebalance or a deploy takes."""
    if trail.ownerless_since is None:
        return False
    without = history.now - trail.ownerless_since
    if reading.group not in _WITHOUT_MEMBERS:
        return without >= WAIT_SECONDS
    # A worker that was killed owned its partitions until the group gave it up; nobody wrote meanwhile.
    return _waits(trail, history) or without >= (WAIT_SECONDS if trail.ever_owned else _FIRST_LOOK_SECONDS)


def _waits(trail: Trail, history: History) -> bool:
    """Return whether records wait for too long, and their owner is not just at other partitions."""
    still_since, passed_over_since = history.stands_still_since(trail), history.passed_over_since(trail)
    if still_since is None or passed_over_since is None:
        return False
    return history.now - still_since >= trail.wait_seconds or history.now - passed_over_since >= BUSY_SECONDS


def _behind(trail: Trail, history: History) -> bool:
    storm = history.rebalances and trail.oldest_age(_STORM_SECONDS) > _STORM_AGE_SECONDS
    return trail.behind_since is not None or storm


def _direction(trail: Trail, history: History) -> Verdict:
    if trail.drains:
        return Verdict.CATCHING_UP
    # A partition that did not move for a few seconds may be between two commits.
    seen = trail.moved is not None or history.owner_commits(trail)
    unseen = not seen and trail.observed_seconds < trail.wait_seconds
    return Verdict.UNKNOWN if unseen else Verdict.FALLING_BEHIND


def _partition(key: tuple[str, int], trail: Trail, history: History, reading: Reading) -> PartitionLag:
    verdict = verdict_of(trail, history, reading)
    cause = cause_of(verdict, trail, history, reading)
    since = _began(trail, history, reading, verdict)
    if (last := trail.last) is None:
        return PartitionLag(*key, verdict, cause, since=since)
    arrivals, commits = trail.rates() or (None, None)
    return PartitionLag(
        *key,
        verdict,
        cause,
        since=since,
        end=last.end,
        committed=last.committed,
        lag=last.lag,
        lag_seconds=last.age,
        arrivals_per_second=arrivals,
        commits_per_second=commits,
        drain_seconds=_drain(trail, verdict, last.lag),
        headroom_seconds=_headroom(key, reading, last.age),
        owner=reading.owners.get(key),
    )


def _drain(trail: Trail, verdict: Verdict, lag: int) -> float | None:
    """Return how long until nothing is left; 0 also where no more waits than flows."""
    if not lag or verdict is Verdict.OK:
        return 0.0
    if verdict is Verdict.UNKNOWN and not trail.drains:
        return None
    return trail.drain_seconds()


def _headroom(key: tuple[str, int], reading: Reading, age: float | None) -> float | None:
    topic = key[0]
    if not reading.partitions[key].lag:
        return inf
    if topic not in reading.retention_ms:
        return None
    retention = reading.retention_ms[topic]
    if retention is None:
        return inf
    return None if age is None else max(retention / 1000 - age, 0.0)


def _began(trail: Trail, history: History, reading: Reading, verdict: Verdict) -> float | None:
    """Return the Unix time at which what is wrong began."""
    if verdict is Verdict.OK:
        return None
    moments = [trail.unread_since, trail.behind_since]
    if verdict is Verdict.STALLED:
        moments.append(trail.waits_since)
    if verdict is Verdict.NO_OWNER:
        moments.append(trail.ownerless_since)
    began = min((moment for moment in moments if moment is not None), default=history.now)
    return reading.at - (history.now - began)


def _of_all(parts: Sequence[PartitionLag], history: History, reading: Reading) -> tuple[Verdict, Cause]:
    """Return the worst verdict; whether all fall behind or catch up, the sum decides.

    A worker drains partition by partition: while one is emptied, others grow.
    """
    unread = Cause.KAFKA_UNAVAILABLE if reading.kafka is Health.UNAVAILABLE else Cause.UNKNOWN
    worst = max(parts, key=lambda part: (SEVERITY.index(part.verdict), part.lag_seconds or 0.0), default=None)
    if worst is None or (not reading.whole and SEVERITY.index(worst.verdict) < SEVERITY.index(Verdict.UNKNOWN)):
        return Verdict.UNKNOWN, unread
    drained = worst.verdict is Verdict.FALLING_BEHIND and history.whole.drains
    return Verdict.CATCHING_UP if drained else worst.verdict, worst.cause


def _drain_all(parts: Sequence[PartitionLag], verdict: Verdict, whole: Trail) -> float | None:
    """Return how long until nothing is left in any partition: with one that stands still, never."""
    if verdict is Verdict.CATCHING_UP and whole.drains:
        return whole.drain_seconds()
    return _of_known(max, [part.drain_seconds for part in parts])


def _since(parts: Sequence[PartitionLag], reading: Reading, verdict: Verdict) -> float | None:
    if verdict is Verdict.OK:
        return None
    return min((part.since for part in parts if part.since is not None), default=reading.at)


def _of_known(combine: Callable[[Sequence[Number]], Number], values: Sequence[Number | None]) -> Number | None:
    """Return the values combined, None where there are none or one is not known."""
    known = [value for value in values if value is not None]
    return combine(known) if known and len(known) == len(values) else None
