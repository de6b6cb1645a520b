"""The position of each partition after a fetch, and the partitions that an open transaction holds up.

A consumer that reads committed transactions only moves past their marks, and past the records of aborted ones, without
returning anything. Its position is the only trace of it.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from aiokafka import AIOKafkaConsumer
from aiokafka.consumer.fetcher import FetchError
from faust.types import TP

from services.worker import metrics
from services.worker.ingest.decode_batch import KafkaRecord


class Fetched(dict[TP, Sequence[KafkaRecord]]):
    """What one fetch returned, and the positions behind it: they are lost together, or delivered together."""

    def __init__(self, records: Mapping[TP, Sequence[KafkaRecord]], positions: Mapping[TP, int]) -> None:
        super().__init__(records)
        self.positions = positions


def positions(consumer: AIOKafkaConsumer) -> dict[TP, int]:
    """Return the position of each assigned partition; call it in the consumer's thread."""
    # aiokafka moves past a record that it cannot return before it raises the error.
    failed = {tp for tp, found in consumer._fetcher._records.items() if isinstance(found, FetchError)}  # noqa: SLF001
    return {
        tp: state.position for tp, state in _states(consumer).items() if state.has_valid_position and tp not in failed
    }


def stable_ends(consumer: AIOKafkaConsumer) -> dict[TP, tuple[int, int]]:
    """Return the last stable offset and the end (high watermark) of each assigned partition, as last fetched."""
    return {
        tp: (state.lso, state.highwater)
        for tp, state in _states(consumer).items()
        if state.lso is not None and state.highwater is not None
    }


def _states(consumer: AIOKafkaConsumer) -> dict[TP, Any]:
    subscription = consumer._subscription.subscription  # noqa: SLF001 - the public way awaits, or has one partition
    assignment = subscription.assignment if subscription else None
    return {TP(*tp): assignment.state_value(tp) for tp in assignment.tps} if assignment else {}


class OpenTransactions:
    """How long the last stable offset of each partition has stood still behind its end."""

    def __init__(self) -> None:
        self._shown: frozenset[TP] = frozenset()
        self._since: dict[TP, tuple[int, float]] = {}

    def observe(self, ends: Mapping[TP, tuple[int, int]], now: float) -> None:
        """Set the metric for these partitions, and remove all others; `now` is in seconds, of any clock."""
        for tp in self._shown - ends.keys():
            metrics.OPEN_TRANSACTION_SECONDS.remove(tp.topic, str(tp.partition))
        self._shown = frozenset(ends)
        self._since = {tp: self._stands(tp, stable, now) for tp, (stable, end) in ends.items() if stable < end}
        for tp in ends:
            _, since = self._since.get(tp, (0, now))
            metrics.OPEN_TRANSACTION_SECONDS.labels(tp.topic, str(tp.partition)).set(now - since)

    def _stands(self, tp: TP, stable: int, now: float) -> tuple[int, float]:
        before = self._since.get(tp)
        return before if before and before[0] == stable else (stable, now)
