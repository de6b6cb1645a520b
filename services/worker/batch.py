"""PURE: what one batch of records brings: events by call and stretch, and what is no event."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Protocol

from shared.events import Event, Headers, InvalidEvent, decode
from shared.fold.ends import FINAL
from shared.partition import partition_of
from shared.store.log import LogDocument, Stretch, call_key, documents


class Record(Protocol):
    """A record of Kafka; `timestamp` in Unix milliseconds."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: Headers


@dataclass(frozen=True, slots=True)
class Rejected:
    """A record that is no event, and why."""

    record: Record
    why: InvalidEvent


@dataclass(slots=True)
class CallBatch:
    """What a batch brings of one call; `partition` is that of the call's key."""

    key: str
    record_key: bytes
    partition: int
    last_arrival: int = 0
    ends: bool = False
    opts_out: bool = False
    events: int = 0
    misplaced: int = 0
    stretches: dict[Stretch, list[tuple[int, bytes]]] = field(default_factory=dict)

    def add(self, record: Record, event: Event, latest_arrival: int) -> None:
        """Take in one event."""
        self.events += 1
        self.ends = self.ends or event.type in FINAL
        self.opts_out = self.opts_out or event.opts_out
        self.misplaced += record.key != self.record_key or record.partition != self.partition
        # A producer's clock that is ahead must not make the call seem to arrive for ever.
        self.last_arrival = max(self.last_arrival, min(record.timestamp, latest_arrival))
        self.stretches.setdefault(Stretch(record.topic, record.partition), []).append((record.offset, event.raw))

    def documents(self, content_key: bytes) -> Iterator[LogDocument]:
        """Yield the documents for the log."""
        for stretch, events in self.stretches.items():
            yield from documents(self.key, stretch, events, content_key)


@dataclass(slots=True)
class Batch:
    """What a run of records brings."""

    calls: dict[str, CallBatch] = field(default_factory=dict)
    rejected: list[Rejected] = field(default_factory=list)
    events: dict[str, int] = field(default_factory=dict)


def read_batch(records: Iterable[Record], partitions: int, now: int) -> Batch:
    """Return what `records` bring; `partitions` is the number of each input topic's, `now` Unix milliseconds."""
    batch = Batch()
    for record in records:
        event = decode(record.value, record.headers)
        if isinstance(event, InvalidEvent):
            batch.rejected.append(Rejected(record, event))
            continue
        key = call_key(event.organization_id, event.call_id)
        call = batch.calls.get(key)
        if call is None:
            call = CallBatch(key, event.call_id.encode(), partition_of(event.call_id, partitions))
            batch.calls[key] = call
        call.add(record, event, now)
        batch.events[record.topic] = batch.events.get(record.topic, 0) + 1
    return batch
