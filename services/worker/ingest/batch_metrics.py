"""What the metrics keep of a batch: once for each batch, call or type, never for each event."""

from collections import Counter as Counts
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from itertools import chain
from time import perf_counter

from prometheus_client import Counter

from services.worker import metrics
from services.worker.ingest.decode_batch import Batch, RejectedRecord
from services.worker.ingest.unread_records import UnreadRecords
from shared.contract.ids import call_key
from shared.contract.payloads import TYPES
from shared.process.logs import logger

log = logger(__name__)

UNKNOWN = "unknown"
_AS_OLD_MS = 50


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


_SECONDS = {step: metrics.BATCH_STEP_SECONDS.series(step) for step in Step}


class Timed:
    """Measures a step while it is entered, its retries and waits included, unless it fails."""

    __slots__ = ("_began", "_series")

    def __init__(self, step: Step) -> None:
        self._series = _SECONDS[step]

    def __enter__(self) -> None:
        self._began = perf_counter()

    def __exit__(self, failed: type[BaseException] | None, *_: object) -> None:
        if failed is None:
            self._series.observe(perf_counter() - self._began)


@cache  # a child is looked up behind a lock
def _events(kind: str, outcome: Outcome) -> Counter:
    return metrics.EVENTS.labels(kind, outcome)


@dataclass(frozen=True, slots=True)
class Written:
    """What became of the calls of a batch: which are deleted, and from when on the events were durable and readable.

    Times are Unix milliseconds by the database server's clock.
    """

    deleted: Collection[str]
    durable_at: int
    readable_at: int


def record_batch(batch: Batch, written: Written | None, seconds: float) -> None:
    """Record a batch that is written, and that this took so long; `written` is None if it had no call."""
    metrics.BATCH_WRITE_SECONDS.observe(seconds)
    metrics.BATCHES.inc()
    metrics.LAST_BATCH.set_to_current_time()
    metrics.BATCH_EVENTS.observe(batch.events)
    counted = outcomes(batch, written.deleted if written else ())
    for (kind, outcome), events in counted.items():
        _events(kind, outcome).inc(events)
    if written is not None:
        events = sum([events for (_, outcome), events in counted.items() if outcome is Outcome.WRITTEN])
        _record_arrivals(batch, written, events)
    if batch.rejected:
        _record_rejected(batch.rejected)
    if batch.tombstones:
        metrics.TOMBSTONE_RECORDS.inc(batch.tombstones)
    if mis_keyed := sum([call.mis_keyed for call in batch.calls.values()]):
        metrics.MIS_KEYED_EVENTS.inc(mis_keyed)


def _record_rejected(rejected: Sequence[RejectedRecord]) -> None:
    for reason, count in Counts(each.why.reason for each in rejected).items():
        metrics.DEAD_LETTERS.labels(reason).inc(count)
    for each in rejected:
        if isinstance(each.record, UnreadRecords):
            _report(each.record)


def _record_arrivals(batch: Batch, written: Written, events: int) -> None:
    """Add the written events with the age of the oldest; 0 where the broker's clock is ahead.

    That is the oldest of their source partition, or of the batch if its partitions are as old as each other: most are.
    """
    oldest = min(batch.oldest.values())
    if max(batch.oldest.values()) - oldest <= _AS_OLD_MS:
        _observe(oldest, written, events)
        return
    by_source = dict.fromkeys(batch.oldest, 0)
    for key, call in batch.calls.items():
        if key not in written.deleted:
            for source, sent in call.sources.items():
                by_source[source] += len(sent)
    for source, count in by_source.items():
        _observe(batch.oldest[source], written, count)


def _observe(arrival: int, written: Written, events: int) -> None:
    metrics.ARRIVAL_TO_DURABLE.observe(max(0, written.durable_at - arrival) / 1000, events)
    metrics.ARRIVAL_TO_READABLE.observe(max(0, written.readable_at - arrival) / 1000, events)


def outcomes(batch: Batch, deleted: Collection[str]) -> Mapping[tuple[str, Outcome], int]:
    """Return the number of events by type and outcome."""
    written = Counts(chain.from_iterable(call.types for key, call in batch.calls.items() if key not in deleted))
    late = Counts(chain.from_iterable(batch.calls[key].types for key in deleted))
    refused = Counts[str]()
    for rejected in batch.rejected:
        refused[rejected.why.type] += _records(rejected)
        if (opt_out := rejected.why.opt_out) is not None:  # nobody sent it
            key = call_key(opt_out.organization_id, opt_out.call_id)
            (late if key in deleted else written)[opt_out.type] -= 1
    found = Counts[tuple[str, Outcome]]()
    for outcome, types in ((Outcome.WRITTEN, written), (Outcome.LATE, late), (Outcome.DEAD_LETTER, refused)):
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
