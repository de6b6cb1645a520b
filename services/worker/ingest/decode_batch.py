"""One batch of records, decoded: events by call and source partition, and the invalid records."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Protocol

from services.worker.ingest.unread_records import UnreadRecords
from shared.contract.decode_event import Event, Headers, InvalidEvent, decode_sent, is_tombstone
from shared.contract.ids import call_key
from shared.contract.timestamps import EARLIEST_MS
from shared.contract.topics import LOG_APPEND_TIME
from shared.fold.lifecycle.session import ENDS
from shared.kafka.partitioner import partition_of
from shared.store.ids import LoggedBytes, documents
from shared.store.models import LogDocument, SourcePartition


class KafkaRecord(Protocol):
    """A record of Kafka; `timestamp` in Unix milliseconds, of the broker's clock or of a producer's by its type."""

    @property
    def topic(self) -> str: ...
    @property
    def partition(self) -> int: ...
    @property
    def offset(self) -> int: ...
    @property
    def timestamp(self) -> int: ...
    @property
    def timestamp_type(self) -> int: ...
    @property
    def key(self) -> bytes | None: ...
    @property
    def value(self) -> bytes | None: ...
    @property
    def headers(self) -> Headers: ...


@dataclass(frozen=True, slots=True)
class RejectedRecord:
    """An invalid record, and why it is invalid."""

    record: KafkaRecord
    why: InvalidEvent


@dataclass(slots=True)
class CallBatch:
    """The events of one call in a batch; `partition` is that of the call's key."""

    key: str
    record_key: bytes
    partition: int
    last_arrival: int = 0
    ends: bool = False
    opts_out: bool = False
    types: list[str] = field(default_factory=list)
    mis_keyed: int = 0
    sources: dict[SourcePartition, list[LoggedBytes]] = field(default_factory=dict)

    @property
    def events(self) -> int:
        return len(self.types)

    def add(self, record: KafkaRecord, source: SourcePartition, event: Event, vouched: int, arrival: int) -> None:
        kind = event.type
        self.types.append(kind)
        if kind in ENDS:
            self.ends = True
        if event.opts_out:
            self.opts_out = True
        if source.partition != self.partition or record.key != self.record_key:
            self.mis_keyed += 1
        self.last_arrival = max(self.last_arrival, arrival)
        logged = self.sources.get(source)
        if logged is None:
            logged = self.sources[source] = []
        logged.append((record.offset, event.raw, vouched))

    def documents(self, log_id_hmac_key: bytes) -> Iterator[LogDocument]:
        for source, events in self.sources.items():
            yield from documents(self.key, source, events, log_id_hmac_key)


@dataclass(slots=True)
class Batch:
    """A batch: its valid events by call, its invalid records, and how many records without a value it had.

    `oldest` is the arrival of the first valid event of each source partition (Unix milliseconds), and
    `by_ids` has the calls by the ids of their organization and themselves.
    """

    calls: dict[str, CallBatch] = field(default_factory=dict)
    rejected: list[RejectedRecord] = field(default_factory=list)
    oldest: dict[SourcePartition, int] = field(default_factory=dict)
    tombstones: int = 0
    by_ids: dict[tuple[str, str], CallBatch] = field(default_factory=dict)

    @property
    def events(self) -> int:
        return sum(call.events for call in self.calls.values())


def _arrival(timestamp: int, now: int) -> int:
    """Return when a record arrived (Unix milliseconds): by its timestamp in Kafka, or now if that is earlier.

    A timestamp outside the years 2000 to 2100, as of a record without one, says nothing. With one of a producer whose
    clock is ahead, a call would never become quiet.
    """
    return timestamp if EARLIEST_MS <= timestamp <= now else now


def decode_batch(records: Iterable[KafkaRecord], partitions: int, now: int, decoded: Batch | None = None) -> Batch:
    """Return the batch, `decoded` with these records added if its first ones are decoded already.

    `partitions` is the number of each input topic's, `now` Unix milliseconds.
    """
    batch = Batch() if decoded is None else decoded
    calls = batch.by_ids
    source = SourcePartition("", 0)  # of the previous record: consecutive records mostly have the same
    for record in records:
        value, headers = record.value, record.headers
        if value is None and is_tombstone(value, headers):
            if isinstance(record, UnreadRecords):
                batch.rejected.append(RejectedRecord(record, record.why))
            else:
                batch.tombstones += 1
            continue
        arrival = _arrival(record.timestamp, now)
        event, vouched = decode_sent(value, headers, arrival)
        if isinstance(event, InvalidEvent):
            batch.rejected.append(RejectedRecord(record, event))
            if event.opt_out is None:
                continue
            event = event.opt_out
        call = calls.get(event[:2])
        if call is None:
            call = calls[event[:2]] = _call_of(event, partitions)
            batch.calls[call.key] = call
        # A producer's clock that is a year behind must not end a call, nor delete it: it is when the record is read.
        seen = arrival if record.timestamp_type == LOG_APPEND_TIME else now
        if record.partition != source.partition or record.topic != source.topic:
            source = SourcePartition(record.topic, record.partition)
            batch.oldest.setdefault(source, seen)
        call.add(record, source, event, vouched, seen)
    return batch


def _call_of(event: Event, partitions: int) -> CallBatch:
    """Return the call of an event; `partitions` is the number of each input topic's."""
    key = call_key(event.organization_id, event.call_id)
    return CallBatch(key, event.call_id.encode(), partition_of(event.call_id, partitions))
