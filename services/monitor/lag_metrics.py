"""How far the workers are behind, as metrics: set once for each reading."""

import math
from collections.abc import Iterable
from enum import StrEnum
from typing import Generic, TypeVar

from prometheus_client import Gauge

from services.monitor.metrics import MONITOR
from shared.lag.models import Cause, GroupState, Lag, PartitionLag, Verdict

_PARTITION = ("topic", "partition")

END = MONITOR.gauge(
    "callfold_end_offset",
    "The offset after the last record that a reader of committed transactions can read",
    _PARTITION,
    unit="offset",
    question="Do events arrive?",
)
COMMITTED = MONITOR.gauge(
    "callfold_committed_offset",
    "The offset that the workers' group has committed; NaN if none",
    _PARTITION,
    unit="offset",
    question="Are events written?",
)
LAG = MONITOR.gauge(
    "callfold_lag_records",
    "Records from the first that is not committed to the end",
    _PARTITION,
    unit="records",
    question="How many events wait?",
)
LAG_SECONDS = MONITOR.gauge(
    "callfold_lag_seconds",
    "Age of the oldest record that is not committed, by its own timestamp; 0 if none waits",
    _PARTITION,
    question="How late are the workers?",
)
DRAIN_SECONDS = MONITOR.gauge(
    "callfold_lag_drain_seconds",
    "Time until no record waits, at the rates of the last minutes; +Inf: never",
    _PARTITION,
    question="When will it be over?",
)
HEADROOM_SECONDS = MONITOR.gauge(
    "callfold_loss_headroom_seconds",
    "Time until Kafka deletes the oldest record that is not committed, by retention.ms; +Inf: never, or none waits",
    _PARTITION,
    question="How long until events are lost?",
)
PARTITION_VERDICT = MONITOR.gauge(
    "callfold_partition_verdict",
    "1 for the verdict on the partition, 0 for the others",
    (*_PARTITION, "verdict"),
    unit="0 or 1",
    question="Which partitions are behind, and do they move?",
)
PARTITION_CAUSE = MONITOR.gauge(
    "callfold_partition_cause",
    "1 for the cause that can be shown, 0 for the others",
    (*_PARTITION, "cause"),
    unit="0 or 1",
    question="Why is this partition behind?",
)
VERDICT = MONITOR.gauge(
    "callfold_lag_verdict",
    "1 for the verdict on all partitions, 0 for the others: the worst, or catching_up while the sum drains",
    ("verdict",),
    unit="0 or 1",
    question="Is anything late?",
)
CAUSE = MONITOR.gauge(
    "callfold_lag_cause",
    "1 for the cause of the worst verdict, 0 for the others",
    ("cause",),
    unit="0 or 1",
    question="Why is it late?",
)
STATE = MONITOR.gauge(
    "callfold_group_state",
    "1 for the state of the workers' consumer group, 0 for the others",
    ("state",),
    unit="0 or 1",
    question="Do the workers have their partitions, or do they rebalance?",
)
MEMBERS = MONITOR.gauge(
    "callfold_group_members",
    "Members of the workers' consumer group; NaN if it cannot be asked",
    unit="members",
    question="How many workers are there?",
)

Value = TypeVar("Value", bound=StrEnum)


class _One(Generic[Value]):
    """A gauge that is 1 for one of some values; only what changes is set."""

    def __init__(self, gauge: Gauge, values: Iterable[Value], *labels: str) -> None:
        self._gauges = {value: gauge.labels(*labels, value) for value in values}
        self._shown: Value | None = None

    def show(self, value: Value) -> None:
        if value is not self._shown:
            if self._shown is not None:
                self._gauges[self._shown].set(0)
            self._gauges[value].set(1)
            self._shown = value


class _Partition:
    """The metrics of one partition, which stay: NaN is what is not known."""

    def __init__(self, topic: str, partition: int) -> None:
        labels = topic, str(partition)
        gauges = (END, COMMITTED, LAG, LAG_SECONDS, DRAIN_SECONDS, HEADROOM_SECONDS)
        self._gauges = [gauge.labels(*labels) for gauge in gauges]
        self._verdict = _One(PARTITION_VERDICT, Verdict, *labels)
        self._cause = _One(PARTITION_CAUSE, Cause, *labels)

    def show(self, lag: PartitionLag) -> None:
        values = (lag.end, lag.committed, lag.lag, lag.lag_seconds, lag.drain_seconds, lag.headroom_seconds)
        for gauge, value in zip(self._gauges, values, strict=True):
            gauge.set(math.nan if value is None else value)
        self._verdict.show(lag.verdict)
        self._cause.show(lag.cause)


class LagMetrics:
    """The metrics of a group; those of a partition appear with it, and never vanish."""

    def __init__(self) -> None:
        self._partitions: dict[tuple[str, int], _Partition] = {}
        self._verdict, self._cause, self._state = _One(VERDICT, Verdict), _One(CAUSE, Cause), _One(STATE, GroupState)
        self.show_unknown()

    def show(self, lag: Lag) -> None:
        self._show_group(lag.verdict, lag.cause, lag.state, lag.members)
        for each in lag.partitions:
            part = each.topic, each.partition
            if part not in self._partitions:
                self._partitions[part] = _Partition(*part)
            self._partitions[part].show(each)

    def show_unknown(self) -> None:
        """Show that nothing is known now."""
        self._show_group(Verdict.UNKNOWN, Cause.UNKNOWN, GroupState.UNKNOWN, None)
        for (topic, partition), each in self._partitions.items():
            each.show(PartitionLag(topic, partition, Verdict.UNKNOWN, Cause.UNKNOWN))

    def _show_group(self, verdict: Verdict, cause: Cause, state: GroupState, members: int | None) -> None:
        self._verdict.show(verdict)
        self._cause.show(cause)
        self._state.show(state)
        MEMBERS.set(math.nan if members is None else members)
