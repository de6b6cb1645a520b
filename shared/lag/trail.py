"""How one partition moved: what a judgement needs to know of the readings before the last."""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import takewhile
from math import inf
from statistics import median

from shared.lag.models import PartitionReading
from shared.lag.trend import Trend

WINDOW_SECONDS = 120.0
"""So far back a trail reaches."""

WAIT_SECONDS = 12.0
"""Nothing is concluded earlier from a wait: a deploy of all workers takes up to 10 s, a verdict may take 15."""

BEHIND_SECONDS = 5.0
"""Older records than this are late (the objective of freshness). Less is how a partition flows: workers commit every
second, so that the age goes up and down by some seconds."""

BUSY_SECONDS = 60.0
"""So long a partition may wait while its owner commits in others: a worker drains a backlog partition by partition."""

_IN_TIME_SECONDS = 3.0
"""So young the oldest record has to be until the partition is no longer late: else the verdict would go to and fro."""

_LATE_SECONDS = 9.0
"""So long the oldest record has to be late until the partition is: on a busy machine one commit in three is."""

_PAUSE_SECONDS = 8.0
_CALM_SECONDS = 5.0
_LONGEST_SECONDS = 60.0
_FINE_SECONDS = 40.0
_COARSE_SECONDS = 5.0
_KEPT_WAITS = 3
_SPEED_SECONDS = 30.0
_COMMITS = 2


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
    offset last advanced. `owner` is the last that is known, `owned` whether it still is, and
    `owned_since` when it became the owner.
    """

    samples: deque[Sample] = field(default_factory=deque)
    moved: float | None = None
    waits_since: float | None = None
    ownerless_since: float | None = None
    owner: str | None = None
    owned: bool = False
    owned_since: float = 0.0
    ever_owned: bool = False
    behind_since: float | None = None
    unread_since: float | None = None
    noise_seconds: float = 0.0
    """Of arrivals: a lag that moves by less does not turn."""
    trend: Trend = field(default_factory=Trend)
    _waits: deque[float] = field(default_factory=lambda: deque(maxlen=_KEPT_WAITS))

    @property
    def last(self) -> Sample | None:
        """The last reading has it; None where it does not."""
        return self.samples[-1] if self.samples and self.unread_since is None else None

    @property
    def usual_wait(self) -> float:
        """How long records usually wait for a commit; one long wait, as of a restart, does not change it."""
        return median(self._waits) if self._waits else 0.0

    @property
    def wait_seconds(self) -> float:
        """How long records may wait for a commit until that is no longer how this partition flows."""
        return min(max(WAIT_SECONDS, 1.5 * self.usual_wait), _LONGEST_SECONDS)

    @property
    def calm_seconds(self) -> float:
        """A time in which at least one commit is usual."""
        return min(max(_CALM_SECONDS, 1.5 * self.usual_wait), _LONGEST_SECONDS)

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
        before = self.samples[-1] if self.samples else None
        self.unread_since = None
        if before and _restarted(before, reading):
            self.samples.clear()
            self.waits_since = before = None
        self._observe_commit(now, before, reading)
        self.samples.append(Sample(now, reading.end, reading.committed, reading.position, reading.lag, age))
        self._thin(now)
        self.trend.observe(now, self._least_lag(), self._noise())

    def observe_owner(self, now: float, owner: str | None, *, known: bool) -> None:
        """Record the owner of the partition, None without one, where it is known."""
        if owner is not None and not (self.owned and owner == self.owner):
            self.owner, self.owned_since = owner, now
        self.owned = owner is not None
        self.ever_owned |= self.owned
        if self.owned or not known:
            self.ownerless_since = None
        elif self.ownerless_since is None:
            self.ownerless_since = now

    def rates(self) -> tuple[float, float] | None:
        """Return how many records a second arrive and are committed, None if there is no time between."""
        since = self.samples[-1].now - 2 * self.calm_seconds
        last = self.samples[-1]
        *_, first = takewhile(lambda sample: sample.now >= since, reversed(self.samples))
        seconds = last.now - first.now
        if not seconds:
            return None
        # Of a group that never committed, retention alone moves the position.
        start = first.position if first.committed is None else first.committed
        committed = 0 if last.committed is None else last.committed - start
        return (last.end - first.end) / seconds, max(committed, 0) / seconds

    @property
    def drains(self) -> bool:
        """Whether the lag becomes less; by the rates alone until there is a trend."""
        if self.observed_seconds >= WAIT_SECONDS:
            return self.trend.drains
        arrivals, commits = self.rates() or (0.0, 0.0)
        return commits > arrivals

    def drain_seconds(self) -> float:
        """Return how long until nothing is left, as fast as it became less lately; infinity if it does not."""
        speed = self._drain_speed() if self.drains else 0.0
        return self.samples[-1].lag / speed if speed > 0 else inf

    def _drain_speed(self) -> float:
        if self.observed_seconds < WAIT_SECONDS:
            arrivals, commits = self.rates() or (0.0, 0.0)
            return commits - arrivals
        now, least = self.samples[-1].now, self._least_lag()
        since, before = self.trend.peak
        if now - since > _SPEED_SECONDS:
            since = now - _SPEED_SECONDS
            then = (sample.lag for sample in self.samples if since - self.calm_seconds <= sample.now <= since)
            before = min(then, default=least)
        return (before - least) / (now - since) if now > since else 0.0

    def oldest_age(self, seconds: float) -> float:
        """Return the greatest age of the last seconds that is known."""
        ages = (sample.age for sample in self._recent(seconds))
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

    def _least_lag(self) -> int:
        return min(sample.lag for sample in self._recent(self.calm_seconds))

    def _noise(self) -> float:
        """Return the records that arrive during two commits."""
        arrivals, _ = self.rates() or (0.0, 0.0)
        return arrivals * max(_COMMITS * max(self.usual_wait, 1.0), self.noise_seconds)

    def observe_lateness(self, now: float, still_since: float | None) -> None:
        """Record whether records are late; `still_since`: they wait, and their owner commits nothing anywhere."""
        # The least is the age after a commit.
        lately = self._least_age(self.calm_seconds)
        if lately is not None and lately <= _IN_TIME_SECONDS:
            self.behind_since = None
            return
        pauses = still_since is not None and now - still_since >= max(_PAUSE_SECONDS, 1.5 * self.usual_wait)
        least = lately if pauses else self._least_age(max(_LATE_SECONDS, 2 * self.usual_wait))
        if least is not None and least > BEHIND_SECONDS and self.behind_since is None:
            self.behind_since = now

    def _least_age(self, seconds: float) -> float | None:
        """Return the least age of the last seconds, None if one is not known."""
        ages = [sample.age for sample in self._recent(seconds)]
        known = [age for age in ages if age is not None]
        return min(known) if len(known) == len(ages) else None

    def _recent(self, seconds: float) -> Iterator[Sample]:
        since = self.samples[-1].now - seconds
        return takewhile(lambda sample: sample.now > since, reversed(self.samples))

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
