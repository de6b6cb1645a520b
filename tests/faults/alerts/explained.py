"""PURE: which alerts that fired no fault explains.

An alert is explained by a fault of a kind that can bring it, if that was there while the alert was pending or fired, or
shortly before. Some alerts no fault explains: none may lose an event, break a call or make a record wrong.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

RECOVERY_SECONDS = 60.0
"""How long after its end a fault may still be seen: restarts, sessions that run out, what has piled up."""

_WORKERS = ("worker", "crash")
_MONGODB = ("mongod", "way to MongoDB")
_KAFKA = ("broker", "way to Kafka")
_ANY = (*_WORKERS, *_MONGODB, *_KAFKA)

_BY_ALERT: Mapping[str, Sequence[str]] = {
    "CallfoldPartitionStalled": _ANY,
    "CallfoldPartitionWithoutOwner": _ANY,
    "CallfoldFallingBehind": _ANY,
    "CallfoldFreshnessBurnFast": _ANY,
    "CallfoldMonitorGone": _KAFKA,
    "CallfoldApiAvailabilityBurnFast": _MONGODB,
    "CallfoldApiLatencyBurnFast": _MONGODB,
}
_BY_DEPENDENCY: Mapping[str, Sequence[str]] = {
    "mongodb": _MONGODB,
    "kafka": _KAFKA,
    "group": (*_KAFKA, *_WORKERS),
}


@dataclass(frozen=True, slots=True)
class Alert:
    """An alert from when it was pending until it was over, in Unix seconds; `fired` is when it began to fire."""

    name: str
    began: float
    fired: float
    ended: float
    dependency: str = ""

    def __str__(self) -> str:
        of = f" ({self.dependency})" if self.dependency else ""
        return f"{self.name}{of} for {self.ended - self.fired:.0f} s"


@dataclass(frozen=True, slots=True)
class Happened:
    """A fault of a kind, from its beginning to its end, in Unix seconds."""

    kind: str
    began: float
    ended: float


def without_cause(alerts: Iterable[Alert], faults: Sequence[Happened]) -> Iterator[Alert]:
    """Yield the alerts that no fault explains."""
    return (alert for alert in alerts if not any(_explains(fault, alert) for fault in faults))


def _explains(fault: Happened, alert: Alert) -> bool:
    meanwhile = fault.began <= alert.fired and fault.ended + RECOVERY_SECONDS >= alert.began
    return meanwhile and fault.kind.startswith(tuple(_kinds(alert)))


def _kinds(alert: Alert) -> Sequence[str]:
    if alert.name == "CallfoldDependencyUnavailable":
        return _BY_DEPENDENCY.get(alert.dependency, ())
    return _BY_ALERT.get(alert.name, ())
