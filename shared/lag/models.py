"""What is known of the lag at one moment. A value that is not known is None, never 0."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum


class Verdict(StrEnum):
    """What the movement of a partition over a window says."""

    OK = "ok"
    CATCHING_UP = "catching_up"
    FALLING_BEHIND = "falling_behind"
    STALLED = "stalled"
    NO_OWNER = "no_owner"
    UNKNOWN = "unknown"


class Cause(StrEnum):
    """Why a partition is behind, as far as it can be shown; NONE where it is not behind."""

    NONE = "none"
    NO_WORKER = "no_worker"
    REBALANCE = "rebalance"
    KAFKA_UNAVAILABLE = "kafka_unavailable"
    MONGODB_UNAVAILABLE = "mongodb_unavailable"
    MONGODB_SLOW = "mongodb_slow"
    WORKER_FROZEN = "worker_frozen"
    BACKLOG = "backlog"
    UNKNOWN = "unknown"


class GroupState(StrEnum):
    """The state of the consumer group, as its coordinator names it; UNKNOWN where it cannot be asked."""

    STABLE = "stable"
    REBALANCING = "rebalancing"
    EMPTY = "empty"
    DEAD = "dead"
    UNKNOWN = "unknown"


class Health(StrEnum):
    """How a dependency answers."""

    WELL = "well"
    SLOW = "slow"
    UNAVAILABLE = "unavailable"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class PartitionReading:
    """One partition as Kafka has it at one moment, to a `read_committed` reader.

    `end` is the last stable offset, `committed` the group's (None: it never committed), `position` where a reader of
    the group goes on: the offset of the first record that is not committed, or `end`. `oldest` is that record's
    timestamp in Unix milliseconds, None without one, or where it cannot be read (then `readable` is False).
    """

    end: int
    committed: int | None
    position: int
    oldest: int | None
    readable: bool = True

    @property
    def lag(self) -> int:
        return max(self.end - self.position, 0)


@dataclass(frozen=True, slots=True)
class Reading:
    """One look at the group: `at` in Unix seconds; partitions that cannot be read are missing.

    `owners` has the member (client id, host, and the end of its member id, so that no two are the same) of each
    partition that has one. `mongodb_write_seconds` is how long the
    reader's own small majority write took, None where it did not succeed or is not made. `retention_ms` is by topic:
    None for ever; a topic that is missing is not known.
    """

    at: float
    kafka: Health
    mongodb: Health
    group: GroupState
    members: int | None = None
    partitions: Mapping[tuple[str, int], PartitionReading] = field(default_factory=dict)
    owners: Mapping[tuple[str, int], str] = field(default_factory=dict)
    retention_ms: Mapping[str, int | None] = field(default_factory=dict)
    mongodb_write_seconds: float | None = None
    missing_topics: Sequence[str] = ()
    whole: bool = True
    """Whether every partition of every topic was read: else a part that nobody has seen yet may be behind."""
    hidden: Sequence[str] = ()
    """What the reader may not see, each in plain words: "the group's members: not authorized"."""


@dataclass(frozen=True, slots=True)
class PartitionLag:
    """How far one partition is behind, and what that means. None: not known.

    `lag` in records; `lag_seconds` the age of the oldest record that is not committed, 0 without one and never
    negative; rates in records a second over the window; `drain_seconds` until nothing is left at these rates (0:
    nothing is left, or the verdict is ok; infinity: never); `headroom_seconds` until retention deletes the oldest
    record that is not committed (infinity: never, or nothing is left); `since` the Unix time at which what is wrong
    began, None while the verdict is ok.
    """

    topic: str
    partition: int
    verdict: Verdict
    cause: Cause
    end: int | None = None
    committed: int | None = None
    lag: int | None = None
    lag_seconds: float | None = None
    arrivals_per_second: float | None = None
    commits_per_second: float | None = None
    drain_seconds: float | None = None
    headroom_seconds: float | None = None
    owner: str | None = None
    since: float | None = None


@dataclass(frozen=True, slots=True)
class Lag:
    """How far a group is behind: each partition, and the worst verdict with its cause for all of them.

    Between `catching_up` and `falling_behind` the sum of the lags decides; `drain_seconds` is until nothing is left in
    any partition.

    `since` is the Unix time at which the first of what is wrong now began, None while the verdict is ok. `lag` and
    `lag_seconds` are None unless they are known of every partition, and so is `drain_seconds`.
    """

    at: float
    group: str
    state: GroupState
    members: int | None
    kafka: Health
    mongodb: Health
    verdict: Verdict
    cause: Cause
    since: float | None
    lag: int | None
    lag_seconds: float | None
    drain_seconds: float | None = None
    partitions: Sequence[PartitionLag] = ()
    hidden: Sequence[str] = ()
