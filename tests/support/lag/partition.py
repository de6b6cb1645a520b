"""A partition that is written and committed second by second, and what a monitor reads of it."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from shared.lag.models import GroupState, Health, PartitionReading, Reading

TOPIC = "calls.telephony"
START = 1_800_000_000.0


@dataclass(slots=True)
class Partition:
    """Records with their arrival times, and how many of them are committed."""

    arrived: list[float] = field(default_factory=list)
    committed: int | None = None

    @property
    def waiting(self) -> int:
        return len(self.arrived) - (self.committed or 0)

    def read(self) -> PartitionReading:
        position = self.committed or 0
        oldest = int(self.arrived[position] * 1000) if position < len(self.arrived) else None
        return PartitionReading(len(self.arrived), self.committed, position, oldest)


@dataclass(frozen=True, slots=True)
class Phase:
    """Some seconds of the same kind.

    `arrivals` records come each second; every `every` seconds up to `commits` of those that wait are committed (None:
    all that came until a moment before). `change` alters what is read.
    """

    seconds: int
    arrivals: float = 500
    commits: int | None = None
    every: int = 1
    owner: str | None = "worker-1"
    group: GroupState = GroupState.STABLE
    mongodb: Health = Health.WELL
    write: float | None = 0.004
    burst: int = 0
    change: Callable[[Reading], Reading] = lambda reading: reading


def readings(*phases: Phase, committed: int | None = 0, start: float = START) -> Iterator[Reading]:
    """Return what a monitor reads once a second."""
    partition, now, due = Partition(committed=committed), start, 0.0
    for phase in phases:
        partition.arrived += [now] * phase.burst
        for second in range(phase.seconds):
            due += phase.arrivals
            count, due = int(due), due - int(due)
            written = len(partition.arrived)
            partition.arrived += [now + index / count for index in range(count)]
            now += 1
            if second % phase.every == phase.every - 1 and phase.commits != 0:
                _commit(partition, written, phase.commits)
            yield phase.change(_reading(now, partition, phase))


def _commit(partition: Partition, written: int, most: int | None) -> None:
    done = partition.committed or 0
    target = written if most is None else min(done + most, len(partition.arrived))
    if target > done:
        partition.committed = target


def _reading(now: float, partition: Partition, phase: Phase) -> Reading:
    key = (TOPIC, 0)
    owners: Mapping[tuple[str, int], str] = {} if phase.owner is None else {key: phase.owner}
    unavailable = phase.mongodb is Health.UNAVAILABLE
    return Reading(
        at=now,
        kafka=Health.WELL,
        mongodb=phase.mongodb,
        group=phase.group,
        members=0 if phase.group is GroupState.EMPTY else 1,
        partitions={key: partition.read()},
        owners=owners,
        retention_ms={TOPIC: 7 * 24 * 3_600_000},
        mongodb_write_seconds=None if unavailable else phase.write,
    )


def kafka_gone(reading: Reading) -> Reading:
    return replace(reading, kafka=Health.UNAVAILABLE, group=GroupState.UNKNOWN, partitions={}, owners={}, members=None)


def unreadable(reading: Reading) -> Reading:
    """Take away the timestamp of the oldest record."""
    parts = {key: replace(part, oldest=None, readable=False) for key, part in reading.partitions.items()}
    return replace(reading, partitions=parts)


def older(reading: Reading) -> Reading:
    """Let the oldest record be an hour older."""
    parts = {
        key: replace(part, oldest=None if part.oldest is None else part.oldest - 3_600_000)
        for key, part in reading.partitions.items()
    }
    return replace(reading, partitions=parts)


def without_group(reading: Reading) -> Reading:
    return replace(reading, group=GroupState.UNKNOWN, owners={}, members=None)


def merged(*each: Reading) -> Reading:
    """Return the readings of several partitions at one moment as one; they are numbered."""
    parts = {(TOPIC, number): reading.partitions[TOPIC, 0] for number, reading in enumerate(each)}
    owners = {(TOPIC, number): owner for number, reading in enumerate(each) for owner in reading.owners.values()}
    return replace(each[0], partitions=parts, owners=owners)


STOPPED: dict[str, Any] = {"commits": 0, "owner": None, "group": GroupState.EMPTY}
"""What a phase is like while all workers are stopped."""

REBALANCING: dict[str, Any] = {"commits": 0, "owner": None, "group": GroupState.REBALANCING}
