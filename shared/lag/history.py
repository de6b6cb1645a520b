"""What the last two minutes of readings say, partition by partition."""

from collections import deque
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from statistics import median

from shared.lag.models import GroupState, Health, PartitionReading, Reading
from shared.lag.trail import BEHIND_SECONDS, WAIT_SECONDS, WINDOW_SECONDS, Trail

SLOW_WRITE_SECONDS = 0.5
"""A small majority write takes some milliseconds; at this the workers' larger ones take seconds."""

_STORM_SECONDS = 30.0
_STORM_BEGINS_AT, _STORM_ENDS_BELOW = 0.5, 0.25
_WRITES_SECONDS = 15.0
_STEP_SECONDS = 10.0
_JUMP_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Moment:
    """What a reading says of the group and of MongoDB; `write` in seconds."""

    now: float
    rebalancing: bool
    write: float | None


@dataclass(slots=True)
class Commits:
    """The commits of one worker, in any partition: the last, and the first that followed upon a long pause."""

    first: float
    last: float = 0.0

    def observe(self, now: float) -> None:
        if now - self.last >= WAIT_SECONDS:
            self.first = now
        self.last = now


class History:
    """The readings of a window, as trails of partitions; it never drops a partition.

    Its time `now` is in seconds since the first reading, and only goes forward: the clock of a machine may be set.
    """

    def __init__(self, readings: Iterable[Reading] = ()) -> None:
        self.now = 0.0
        self.latest: Reading | None = None
        self.trails: dict[tuple[str, int], Trail] = {}
        self.whole = Trail(noise_seconds=BEHIND_SECONDS)
        """The sum of all partitions; less than what is on time is no movement of it."""
        self.rebalances = False
        """Whether the group was rebalancing for most of the last seconds."""
        self._moments: deque[Moment] = deque()
        self._commits: dict[str, Commits] = {}
        for reading in readings:
            self.add(reading)

    def add(self, reading: Reading) -> None:
        """Record a reading; they come in order."""
        if self.latest:
            self._advance(self.latest, reading)
        self.latest = reading
        self._moments.append(Moment(self.now, reading.group is GroupState.REBALANCING, reading.mongodb_write_seconds))
        while self._moments[0].now < self.now - WINDOW_SECONDS:
            self._moments.popleft()
        self._commits = {owner: each for owner, each in self._commits.items() if each.last > self.now - WINDOW_SECONDS}
        self._observe_rebalances()
        for part in reading.partitions.keys() | self.trails.keys():
            self._observe(part, reading)
        for part in reading.partitions:
            trail = self.trails[part]
            trail.observe_lateness(self.now, self.stands_still_since(trail))
        if reading.whole and reading.partitions:
            self.whole.observe(self.now, None, _sum(reading.partitions.values()))

    def owner_commits(self, trail: Trail) -> bool:
        """Return whether the owner of a partition commits, there or in another one."""
        found = self._of_owner(trail)
        return found is not None and self.now - found.last < trail.wait_seconds

    def stands_still_since(self, trail: Trail) -> float | None:
        """Return since when records wait and their owner commits nothing in any partition, None if none wait.

        It may have to write what waits in its other partitions first.
        """
        found = self._of_owner(trail)
        if trail.waits_since is None or found is None:
            return trail.waits_since
        return max(trail.waits_since, found.last)

    def passed_over_since(self, trail: Trail) -> float | None:
        """Return since when records wait though their owner could have committed them, None if none wait.

        Nobody could during an outage, or while the partition was another's.
        """
        found = self._of_owner(trail)
        if trail.waits_since is None:
            return None
        return max(trail.waits_since, trail.owned_since, found.first if found else 0.0)

    def _of_owner(self, trail: Trail) -> Commits | None:
        return None if trail.owner is None else self._commits.get(trail.owner)

    @property
    def mongodb_slow(self) -> bool:
        """Whether the usual write of the last seconds took too long."""
        recent = [moment.write for moment in self._moments if moment.now > self.now - _WRITES_SECONDS]
        writes = [write for write in recent if write is not None]
        if not writes:
            return self.latest is not None and self.latest.mongodb is Health.SLOW
        return median(writes) >= SLOW_WRITE_SECONDS

    def _advance(self, before: Reading, reading: Reading) -> None:
        step = reading.at - before.at
        if abs(step) > _JUMP_SECONDS and Health.UNAVAILABLE not in {before.kafka, reading.kafka}:
            # The clock was set, or this process stood still: nothing is known of how the partitions moved.
            self.trails = {part: Trail() for part in self.trails}
            self.whole = Trail(noise_seconds=BEHIND_SECONDS)
            self._moments.clear()
            self._commits.clear()
        self.now += min(max(step, 0.0), _STEP_SECONDS)

    def _observe_rebalances(self) -> None:
        recent = [moment.rebalancing for moment in self._moments if moment.now > self.now - _STORM_SECONDS]
        share = sum(recent) / len(recent)
        self.rebalances = share >= (_STORM_ENDS_BELOW if self.rebalances else _STORM_BEGINS_AT)

    def _observe(self, part: tuple[str, int], reading: Reading) -> None:
        trail = self.trails.setdefault(part, Trail())
        found = reading.partitions.get(part)
        if found is None:
            trail.miss(self.now)
            return
        trail.observe(self.now, _age(found, reading.at), found)
        trail.observe_owner(self.now, reading.owners.get(part), known=reading.group is not GroupState.UNKNOWN)
        if trail.moved == self.now and trail.owner is not None:
            self._commits.setdefault(trail.owner, Commits(self.now)).observe(self.now)


def _sum(found: Collection[PartitionReading]) -> PartitionReading:
    position = sum(part.position for part in found)
    return PartitionReading(sum(part.end for part in found), position, position, None, readable=False)


def _age(found: PartitionReading, at: float) -> float | None:
    """Return the age of the oldest record that waits: never negative, as clocks differ."""
    if not found.lag:
        return 0.0
    if found.oldest is None or not found.readable:
        return None
    return max(round(at - found.oldest / 1000, 3), 0.0)
