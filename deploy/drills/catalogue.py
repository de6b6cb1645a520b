"""The drills: each fault with what must be seen of it."""

from collections.abc import Mapping
from dataclasses import dataclass

from deploy.drills import faults
from deploy.drills.faults import Fault
from deploy.drills.load.orders import Orders
from shared.lag.models import Cause, Verdict

_BEHIND = frozenset({Verdict.FALLING_BEHIND, Verdict.STALLED})
_NOT_OK = frozenset(Verdict) - {Verdict.OK}


@dataclass(frozen=True, slots=True)
class Drill:
    """A fault, what it was in words for the person who looked for it, and what the monitor and Prometheus must show.

    One of the `verdicts` with one of the `causes`, and one of the `alerts`, pending or firing (none: no alert), within
    so many seconds. `one_partition`: the verdict is that of one partition, and all others are better.
    """

    name: str
    title: str
    was: str
    fault: Fault
    verdicts: frozenset[Verdict]
    causes: frozenset[Cause]
    alerts: frozenset[str] = frozenset()
    within: float = 30.0
    one_partition: bool = False
    for_a_person: Fault | None = None
    """The same fault for as long as somebody needs, where it would be over before."""
    lasting: frozenset[str] = frozenset()
    """Alerts that look back for longer than a drill takes, and are there for a while after it is over."""

    @property
    def passing(self) -> frozenset[str]:
        """Return the alerts that are over soon after the fault is."""
        return self.alerts - self.lasting


def _drills() -> tuple[Drill, ...]:
    return (
        Drill(
            "worker-stopped",
            "the worker is stopped",
            "The worker was stopped, and no other was there: nobody read the topics.",
            faults.stopped("worker"),
            frozenset({Verdict.NO_OWNER}),
            frozenset({Cause.NO_WORKER}),
            frozenset({"CallfoldPartitionWithoutOwner"}),
        ),
        Drill(
            "worker-frozen",
            "the worker's process is frozen (SIGSTOP)",
            "The worker's process was frozen (SIGSTOP, state T in the list of processes): it owned its partitions "
            "until the session of 30 seconds had run out, and read nothing; then nobody owned them.",
            faults.worker_frozen,
            frozenset({Verdict.STALLED}),
            frozenset({Cause.WORKER_FROZEN}),
            frozenset({"CallfoldPartitionStalled"}),
        ),
        Drill(
            "mongodb-stopped",
            "MongoDB is stopped",
            "MongoDB was stopped: the worker committed nothing, and tried again.",
            faults.stopped("mongod"),
            frozenset({Verdict.STALLED}),
            frozenset({Cause.MONGODB_UNAVAILABLE}),
            frozenset({"CallfoldDependencyUnavailable"}),
        ),
        Drill(
            "mongodb-slow",
            "MongoDB answers slowly",
            "Whatever went to MongoDB or came from it took 0.7 seconds longer: a batch was written in many.",
            faults.mongodb_slow,
            _BEHIND,
            frozenset({Cause.MONGODB_SLOW}),
            frozenset({"CallfoldFallingBehind", "CallfoldFreshnessBurnFast", "CallfoldPartitionStalled"}),
        ),
        Drill(
            "kafka-stopped",
            "Kafka is stopped",
            "Kafka was stopped: how far the workers were behind could not be known.",
            faults.stopped("kafka"),
            frozenset({Verdict.UNKNOWN}),
            frozenset({Cause.KAFKA_UNAVAILABLE}),
            frozenset({"CallfoldDependencyUnavailable"}),
        ),
        Drill(
            "invalid-records",
            "a flood of invalid records",
            "Fifty records a second were no events: the worker kept up, and each became a dead letter.",
            faults.publishing(Orders(invalid=50)),
            frozenset({Verdict.OK}),
            frozenset({Cause.NONE}),
            frozenset({"CallfoldDeadLetters"}),
            lasting=frozenset({"CallfoldDeadLetters"}),
        ),
        Drill(
            "burst",
            "a burst of events, which drains",
            "Very many events of an import came at once, and the worker caught up: there was nothing to do.",
            faults.publishing(Orders(burst=100_000)),
            frozenset({Verdict.CATCHING_UP}),
            frozenset({Cause.BACKLOG}),
            for_a_person=faults.publishing(Orders(burst=300_000)),
        ),
        Drill(
            "one-partition",
            "a provider sends everything to one partition",
            "A provider of transcripts gave all its records one key, `speech-gateway`, and so one partition, which got "
            "more than a worker can write.",
            faults.publishing(Orders(one_key=8_000)),
            frozenset({Verdict.FALLING_BEHIND}),
            frozenset({Cause.BACKLOG}),
            frozenset({"CallfoldFallingBehind"}),
            one_partition=True,
        ),
        Drill(
            "rebalance-storm",
            "the consumer group rebalances over and over",
            "A second member, `callfold-spare`, joined the consumer group and left it about once a second: each time "
            "the group rebalanced, and waited for the batches in progress, as MongoDB was farther away than usual.",
            faults.rebalance_storm,
            _NOT_OK,
            frozenset({Cause.REBALANCE}),
        ),
        Drill(
            "unfoldable-call",
            "a call cannot be folded",
            "Somebody had edited a document of the event log in MongoDB: its call became broken, all others went on.",
            faults.unfoldable_call,
            frozenset({Verdict.OK}),
            frozenset({Cause.NONE}),
            frozenset({"CallfoldCallsBroken"}),
            # The call has to end, and in a backlog it is folded half a minute later.
            within=60.0,
        ),
    )


DRILLS: Mapping[str, Drill] = {drill.name: drill for drill in _drills()}
