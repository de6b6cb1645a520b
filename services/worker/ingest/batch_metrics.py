"""What the metrics keep of a batch: once for each batch, call or type, never for each event."""

from collections import Counter
from collections.abc import Collection
from contextlib import AbstractContextManager
from dataclasses import dataclass
from enum import StrEnum
from functools import cache

from prometheus_client import Histogram

from services.worker import metrics
from services.worker.ingest.decode_batch import Batch, RejectedRecord
from services.worker.ingest.unread_records import UnreadRecords
from shared.contract.ids import call_key
from shared.contract.payloads import TYPES
from shared.process.logs import logger
from shared.store.models import SourcePartition

log = logger(__name__)

UNKNOWN = "unknown"


class Outcome(StrEnum):
    """What became of an event."""

    WRITTEN = "written"
    DEAD_LETTER = "dead_letter"
    LATE = "late"


class Step(StrEnum):
    """The steps of the write of a batch, in their order; most batches need neither the second nor the last two."""

    DECODE = "decode"
    DEAD_LETTERS = "dead_letters"
    INSERT = "insert"
    READ_STATES = "read_states"
    MARK_STALE = "mark_stale"
    REDACT = "redact"
    DELETE = "delete"

    def timed(self) -> AbstractContextManager[object]:
        """Return what measures the step while it is entered, its retries and waits included."""
        return _seconds(self).time()


@cache  # a child is looked up behind a lock
def _seconds(step: Step) -> Histogram:
    return metrics.BATCH_STEP_SECONDS.labels(step)


@dataclass(frozen=True, slots=True)
class Written:
    """What became of the calls of a batch: which are deleted, and from when on the events were durable and readable.

    Times are Unix milliseconds by the database server's clock.
    """

    deleted: Collection[str]
    durable_at: int
    readable_at: int


def record_batch(batch: Batch, written: Written | None) -> None:
    """Record a batch that is written; `written` is None if it had no call."""
    if written is not None:
        _record_arrivals(batch, written)
    deleted = written.deleted if written else ()
    metrics.BATCHES.inc()
    metrics.LAST_BATCH.set_to_current_time()
    metrics.BATCH_EVENTS.observe(batch.events)
    for (kind, outcome), events in outcomes(batch, deleted).items():
        metrics.EVENTS.labels(kind, outcome).inc(events)
    for reason, count in Counter(rejected.why.reason for rejected in batch.rejected).items():
        metrics.DEAD_LETTERS.labels(reason).inc(count)
    for rejected in batch.rejected:
        if isinstance(rejected.record, UnreadRecords):
            _report(rejected.record)
    metrics.TOMBSTONE_RECORDS.inc(batch.tombstones)
    metrics.MIS_KEYED_EVENTS.inc(sum(call.mis_keyed for call in batch.calls.values()))


def _record_arrivals(batch: Batch, written: Written) -> None:
    """Add the events of each source partition with the age of the oldest; 0 where the broker's clock is ahead."""
    events = Counter[SourcePartition]()
    for key, call in batch.calls.items():
        if key not in written.deleted:
            for source, sent in call.sources.items():
                events[source] += len(sent)
    for source, count in events.items():
        oldest = batch.oldest[source]
        metrics.ARRIVAL_TO_DURABLE.observe(max(0, written.durable_at - oldest) / 1000, count)
        metrics.ARRIVAL_TO_READABLE.observe(max(0, written.readable_at - oldest) / 1000, count)


def outcomes(batch: Batch, deleted: Collection[str]) -> Counter[tuple[str, Outcome]]:
    """Return the number of events by type and outcome."""
    sent: dict[Outcome, Counter[str]] = {outcome: Counter() for outcome in Outcome}
    for key, call in batch.calls.items():
        sent[Outcome.LATE if key in deleted else Outcome.WRITTEN].update(call.types)
    for rejected in batch.rejected:
        sent[Outcome.DEAD_LETTER][rejected.why.type] += _records(rejected)
        if (opt_out := rejected.why.opt_out) is not None:  # nobody sent it
            key = call_key(opt_out.organization_id, opt_out.call_id)
            sent[Outcome.LATE if key in deleted else Outcome.WRITTEN][opt_out.type] -= 1
    found = Counter[tuple[str, Outcome]]()
    for outcome, types in sent.items():
        for kind, events in types.items():
            found[kind if kind in TYPES else UNKNOWN, outcome] += events
    return found


def _records(rejected: RejectedRecord) -> int:
    return rejected.record.count if isinstance(rejected.record, UnreadRecords) else 1


def _report(records: UnreadRecords) -> None:
    metrics.UNREAD_RECORDS.labels(records.why.reason).inc(records.count)
    log.error(
        "records_passed_over",
        topic=records.topic,
        partition=records.partition,
        first_offset=records.first_offset,
        last_offset=records.offset,
        reason=str(records.why.reason),
        detail=records.why.detail,
    )
