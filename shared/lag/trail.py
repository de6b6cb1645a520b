"""How one partition moved: what a judgement needs to know of the readings before the last."""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field

from shared.lag.models import PartitionReading

WINDOW_SECONDS = 120.0
"""So far back a trail reaches."""

WAIT_SECONDS = 12.0
"""Nothing is concluded earlier from a wait: a deploy of all workers takes up to 10 s, a verdict may take 15."""

BEHIND_SECONDS = 5.0
"""Older records than this are late (the objective of freshness). Less is how a partition flows: workers commit every
second, so that the age goes up and down by some seconds."""

_CALM_SECONDS = 5.0
_LONGEST_SECONDS = 60.0
_FINE_SECONDS = 20.0
_COARSE_SECONDS = 5.0
_KEPT_WAITS = 3
_NOISE = 0.02


@dataclass(frozen=True, slots=True)
class Sample:
    """One reading of a partition; `now` in seconds of the history, `age` of the oldest record that waits."""

    now: float
    end: int
    committed: int | None
    position: int
    lag: int
    age: float | None


@dataclass(slots=True)
class Trail:
    """One partition over the window; every time is in seconds of the history, None where it is not so.

    `waits_since`: records wait and the committed offset stands still; `ownerless_since`: it is known to have no owner;
    `behind_since`: records are late; `unread_since`: the last readings do not have it. `moved` is when the committed
    offset last advanced. `drains` is whether the lag becomes less, `drain_speed` by how many records a second.
    """

    samples: deque[Sample] = field(default_factory=deque)
    moved: float | None = None
    waits_since: float | None = None
    ownerless_since: float | None = None
    owned: bool = False
    ever_owned: bool = False
    behind_since: float | None = None
    unread_since: float | None = None
    drains: bool = False
    drain_speed: float = 0.0
    _dropped: float = 0.0
    _waits: deque[float] = field(default_factory=lambda: deque(maxlen=_KEPT_WAITS))

    @property
    def last(self) -> Sample | None:
        """The last reading has it; None where it does not."""
        return self.samples[-1] if self.samples and self.unread_since is None else None

    @property
    def wait_seconds(self) -> float:
        """How long records may wait for a commit until that is no longer how this partition flows."""
        return min(max(WAIT_SECONDS, 1.5 * max(self._waits, default=0.0)), 1.5 * _LONGEST_SECONDS)

    @property
    def trend_seconds(self) -> float:
        """The time that is compared with the same time before: long enough for the commits of either."""
        wanted = min(max(_CALM_SECONDS, 2 * max(self._waits, default=0.0)), _LONGEST_SECONDS)
        return min(wanted, self.observed_seconds / 2)

    @property
    def observed_seconds(self) -> float:
        return self.samples[-1].now - self.samples[0].now if self.samples else 0.0

    def miss(self, now: float) -> None:
        """Record that a reading does not have the partition."""
        if self.unread_since is None:
            self.unread_since = now
        self.waits_since = self.ownerless_since = None

    def observe(self, now: float, age: float | None, reading: PartitionReading) -> None:
        """Record a reading; `age` is of its oldest record, in seconds."""
        before = self.last
        self.unread_since = None
        if before and _restarted(before, reading):
            self.samples.clear()
            self.waits_since = before = None
        self._observe_commit(now, before, reading)
        self.samples.append(Sample(now, reading.end, reading.committed, reading.position, reading.lag, age))
        self._thin(now)
        self._observe_trend(now)
        self._observe_lateness(now)

    def observe_owner(self, now: float, *, owned: bool | None) -> None:
        """Record whether the partition has an owner; None: not known."""
        self.owned = bool(owned)
        self.ever_owned |= self.owned
        if owned is not False:
            self.ownerless_since = None
        elif self.ownerless_since is None:
            self.ownerless_since = now

    def rates(self) -> tuple[float, float] | None:
        """Return how many records a second arrive and are committed, None if there is no time between."""
        since = max(2 * self.trend_seconds, 2 * _CALM_SECONDS)
        known = [sample for sample in self.samples if sample.now >= self.samples[-1].now - since]
        first, last, seconds = known[0], known[-1], known[-1].now - known[0].now
        if not seconds:
            return None
        # Of a group that never committed, retention alone moves the position.
        start = first.position if first.committed is None else first.committed
        committed = 0 if last.committed is None else last.committed - start
        return (last.end - first.end) / seconds, max(committed, 0) / seconds

    def youngest_age(self, seconds: float) -> float | None:
        """Return the least age of the last seconds: that after a commit. None: not all are known."""
        ages = [sample.age for sample in self.samples if sample.now > self.samples[-1].now - seconds]
        return None if None in ages else min((age for age in ages if age is not None), default=None)

    def oldest_age(self, seconds: float) -> float:
        ages = (sample.age for sample in self.samples if sample.now > self.samples[-1].now - seconds)
        return max((age for age in ages if age is not None), default=0.0)

    def _observe_commit(self, now: float, before: Sample | None, reading: PartitionReading) -> None:
        moves = before is not None and before.committed != reading.committed
        if moves:
            self.moved = now
            if self.waits_since is not None:
                self._waits.append(now - self.waits_since)
        if not reading.lag:
            self.waits_since = None
        elif moves or self.waits_since is None:
            self.waits_since = now

    def _observe_trend(self, now: float) -> None:
        length = self.trend_seconds
        recent = _least(sample for sample in self.samples if sample.now > now - length)
        before = _least(sample for sample in self.samples if now - 2 * length <= sample.now <= now - length)
        if recent is None or before is None or not length:
            return
        drop = before - recent
        if drop > max(1, before * _NOISE):
            self.drains, self.drain_speed, self._dropped = True, drop / length, now
        elif drop < 0 or now - self._dropped > _LONGEST_SECONDS:
            self.drains = False

    def _observe_lateness(self, now: float) -> None:
        age = self.youngest_age(_CALM_SECONDS)
        if age is not None and age <= BEHIND_SECONDS:
            self.behind_since = None
            self.drains = self.drains and bool(self.samples[-1].lag)
        elif age is not None and self.behind_since is None:
            self.behind_since = now

    def _thin(self, now: float) -> None:
        """Keep all samples of the last seconds, and every few seconds one of those before."""
        while self.samples[0].now < now - WINDOW_SECONDS:
            self.samples.popleft()
        fine = next(index for index, sample in enumerate(self.samples) if sample.now > now - _FINE_SECONDS)
        if fine > 2 and self.samples[fine - 1].now - self.samples[fine - 3].now < _COARSE_SECONDS:  # noqa: PLR2004
            del self.samples[fine - 2]


def _restarted(before: Sample, reading: PartitionReading) -> bool:
    """Return whether the offsets were set back, or the topic was made again."""
    return reading.end < before.end or (before.committed or 0) > (reading.committed or 0)


def _least(samples: Iterable[Sample]) -> int | None:
    return min((sample.lag for sample in samples), default=None)
