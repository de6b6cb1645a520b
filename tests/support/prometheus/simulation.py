"""What the processes of a stack would show to Prometheus: two partitions as queues, and who reads and watches them."""

from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from math import inf

from shared.lag.models import Cause, Verdict

Samples = dict[str, list[float | None]]
Course = float | Callable[[float], float]
"""A value, or one by the minute."""

LATE_SECONDS = 5
RETENTION_SECONDS = 7 * 86400
CANARY = ("right", "wrong", "late", "not_published", "not_read")
TOPIC = "calls.telephony"
WORKER = 'instance="worker",job="callfold-worker",service="worker"'
MONITOR = 'instance="monitor",job="callfold-monitor",service="monitor"'
API = 'instance="api",job="callfold-api",service="api"'


def between(start: float, end: float, value: float, otherwise: float) -> Course:
    """Return a course that has `value` from one minute until before another."""
    return lambda minute: value if start <= minute < end else otherwise


def at(course: Course, minute: float) -> float:
    return course(minute) if callable(course) else course


@dataclass
class Queue:
    """One partition: events come, wait, and are read in the order in which they came."""

    number: int
    waiting: deque[tuple[float, float]] = field(default_factory=deque)
    before: float = 0.0
    moved: bool = False

    def pass_time(self, now: float, arrive: float, read: float) -> tuple[float, float]:
        """Return how many were read, and how many of them late."""
        self.before = self.lag
        self.waiting.append((now, arrive))
        done = late = 0.0
        while self.waiting and done < read:
            arrived, count = self.waiting.popleft()
            taken = min(count, read - done)
            done += taken
            late += taken if now - arrived > LATE_SECONDS else 0
            if taken < count:
                self.waiting.appendleft((arrived, count - taken))
        self.moved = done > 0
        return done, late

    @property
    def lag(self) -> float:
        return sum(count for _, count in self.waiting)

    def age(self, now: float) -> float:
        return now - self.waiting[0][0] if self.lag else 0.0


@dataclass
class Stack:
    """A course of every quantity; rates are a second, of both partitions together, and half of it for each.

    `capacity` is what the worker can write, `worker` and `monitor` whether they run and answer, and `cause` the cause
    of what is not ok.
    """

    minutes: int
    step: int = 30
    arrivals: Course = 500
    capacity: Course = 2000
    reads: Course = 20
    worker: Course = 1
    monitor: Course = 1
    api: Course = 1
    canary: bool = True
    cause: Cause = Cause.BACKLOG
    share_of_first: float = 0.5
    """How much of what arrives comes to partition 0. Each partition gets half of the capacity."""
    canary_result: str = ""
    """What becomes of each synthetic call; if not given, it is late when events are, and not read without the API."""
    extra: Mapping[str, Course] = field(default_factory=dict)
    """More series."""

    def series(self) -> Samples:
        """Return the samples of every series, one a step."""
        rows = list(self._rows())
        names = {name for row in rows for name in row}
        return {name: [row.get(name) for row in rows] for name in sorted(names)}

    def _rows(self) -> Iterator[dict[str, float]]:
        queues = [Queue(0), Queue(1)]
        count: dict[str, float] = {}
        for number in range(self.minutes * 60 // self.step + 1):
            minute = number * self.step / 60
            yield self._row(minute, queues, count)

    def _row(self, minute: float, queues: list[Queue], count: dict[str, float]) -> dict[str, float]:
        now = minute * 60
        gone = [labels for labels, runs in self._processes(minute).items() if not runs]
        for name in [name for name in count if any(labels in name for labels in gone)]:
            del count[name]  # the next process counts from 0
        self._read(count, queues, minute)
        self._count_requests(count, minute)
        row = {f"up{{{labels}}}": float(runs) for labels, runs in self._processes(minute).items()}
        if at(self.monitor, minute):
            self._count_canary(count, queues, minute)
            row |= self._monitor(now, bool(at(self.worker, minute)), queues)
        return row | count | {name: at(course, minute) for name, course in self.extra.items()}

    def _processes(self, minute: float) -> dict[str, bool]:
        return {
            WORKER: bool(at(self.worker, minute)),
            API: bool(at(self.api, minute)),
            MONITOR: bool(at(self.monitor, minute)),
        }

    def _read(self, count: dict[str, float], queues: list[Queue], minute: float) -> None:
        runs = bool(at(self.worker, minute))
        for queue, share in zip(queues, (self.share_of_first, 1 - self.share_of_first), strict=True):
            able = at(self.capacity, minute) / 2 * self.step if runs else 0.0
            done, late = queue.pass_time(minute * 60, at(self.arrivals, minute) * share * self.step, able)
            if runs:
                _count_events(count, done, late)

    def _count_canary(self, count: dict[str, float], queues: list[Queue], minute: float) -> None:
        late = queues[0].age(minute * 60) > 2 * LATE_SECONDS
        result = self.canary_result or ("not_read" if not at(self.api, minute) else "late" if late else "right")
        for each in CANARY if self.canary else ():
            more = self.step / 10 if each == result else 0.0
            _add(count, f'callfold_canary_calls_total{{result="{each}",{MONITOR}}}', more)

    def _count_requests(self, count: dict[str, float], minute: float) -> None:
        if not at(self.api, minute):
            return
        done = at(self.reads, minute) * self.step
        labels = f'route="/api/calls/{{callId}}",{API}'
        _add(count, f'callfold_api_requests_total{{status="200",{labels}}}', done)
        _add(count, f"callfold_api_request_duration_seconds_count{{{labels}}}", done)
        _add(count, f'callfold_api_request_duration_seconds_bucket{{le="0.25",{labels}}}', done)

    def _monitor(self, now: float, runs: bool, queues: list[Queue]) -> dict[str, float]:
        row = {f"callfold_monitor_last_reading_timestamp_seconds{{{MONITOR}}}": now}
        verdicts = [_verdict(queue, now, runs) for queue in queues]
        for queue, verdict in zip(queues, verdicts, strict=True):
            labels = f'topic="{TOPIC}",partition="{queue.number}",{MONITOR}'
            row[f"callfold_lag_records{{{labels}}}"] = queue.lag
            row[f"callfold_lag_seconds{{{labels}}}"] = queue.age(now)
            row[f"callfold_lag_drain_seconds{{{labels}}}"] = _drain(queue, verdict, self.step)
            row[f"callfold_loss_headroom_seconds{{{labels}}}"] = (
                RETENTION_SECONDS - queue.age(now) if queue.lag else inf
            )
            row |= self._one_of("partition", verdict, labels)
        worst = max(verdicts, key=list(Verdict).index)
        return row | self._one_of("lag", worst, MONITOR)

    def _one_of(self, of: str, verdict: Verdict, labels: str) -> dict[str, float]:
        cause = Cause.NONE if verdict is Verdict.OK else self.cause
        shown = {f'callfold_{of}_verdict{{verdict="{each}",{labels}}}': float(each == verdict) for each in Verdict}
        return shown | {f'callfold_{of}_cause{{cause="{each}",{labels}}}': float(each == cause) for each in Cause}


def _count_events(count: dict[str, float], done: float, late: float) -> None:
    _add(count, f"callfold_arrival_to_readable_seconds_count{{{WORKER}}}", done)
    _add(count, f'callfold_arrival_to_readable_seconds_bucket{{le="5.0",{WORKER}}}', done - late)
    _add(count, f'callfold_events_total{{type="turn",outcome="written",{WORKER}}}', done)
    _add(count, f'callfold_folds_total{{result="live",{WORKER}}}', done / 10)
    _add(count, f"callfold_calls_broken_total{{{WORKER}}}", 0)


def _add(count: dict[str, float], name: str, more: float) -> None:
    count[name] = count.get(name, 0.0) + more


def _verdict(queue: Queue, now: float, runs: bool) -> Verdict:
    if not runs:
        return Verdict.NO_OWNER
    if queue.age(now) <= LATE_SECONDS:
        return Verdict.OK
    if queue.lag < queue.before:
        return Verdict.CATCHING_UP
    return Verdict.FALLING_BEHIND if queue.moved else Verdict.STALLED


def _drain(queue: Queue, verdict: Verdict, step: int) -> float:
    if verdict is Verdict.CATCHING_UP:
        return queue.lag * step / (queue.before - queue.lag)
    return 0.0 if verdict is Verdict.OK else inf
