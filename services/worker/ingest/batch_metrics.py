"""What the metrics keep of a batch: once for each batch, call or type, never for each event."""

from collections import Counter
from collections.abc import Collection
from contextlib import AbstractContextManager
from enum import StrEnum
from functools import cache

from prometheus_client import Histogram

from services.worker.ingest.decode_batch import Batch, RejectedRecord
from services.worker.ingest.unread_records import UnreadRecords
from shared.contract.ids import call_key
from shared.contract.payloads import TYPES
from shared.process import metrics
from shared.process.logs import logger

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


def record_batch(batch: Batch, deleted: Collection[str]) -> None:
    """Record a batch that is written; `deleted` are those of its calls that are."""
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
