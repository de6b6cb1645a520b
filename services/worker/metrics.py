"""Metrics of the worker alone."""

from shared.process.metric_set import MetricSet
from shared.process.metrics import PROCESS

WORKER = MetricSet()

_ARRIVAL_SECONDS = (0.05, 0.1, 0.25, 0.5, 1, 2, 3, 4, 5, 7.5, 10, 15, 30, 60, 300, 900, 3600, 14_400, 86_400)

# Ingest

EVENTS = WORKER.counter(
    "callfold_events",
    "Events by type and outcome: `written` (durable and readable, repeated deliveries included), `dead_letter`, or"
    " `late` (of a deleted call: removed). A type that the contract does not have, or that could not be read, is"
    " `unknown`",
    ["type", "outcome"],
    unit="events",
    question="What arrives, and what becomes of it?",
)
ARRIVAL_TO_DURABLE = WORKER.weighted_histogram(
    "callfold_arrival_to_durable_seconds",
    "From an event's arrival at the broker until a majority of MongoDB has it; an event counts with the oldest of its"
    " partition in the batch, or of the batch where that is within 50 ms",
    buckets=_ARRIVAL_SECONDS,
    question="For how long is an event in Kafka alone?",
).series()
ARRIVAL_TO_READABLE = WORKER.weighted_histogram(
    "callfold_arrival_to_readable_seconds",
    "From an event's arrival at the broker until each read of its call has it; an event counts with the oldest of its"
    " partition in the batch, or of the batch where that is within 50 ms",
    buckets=_ARRIVAL_SECONDS,
    question="Do readers get what happened in time?",
).series()
DEAD_LETTERS = WORKER.counter(
    "callfold_dead_letters",
    "Invalid records sent to the dead-letter topic, by reason",
    ["reason"],
    unit="records",
    question="Does a publisher send what cannot be read, and why not?",
)
UNREAD_RECORDS = WORKER.counter(
    "callfold_unread_records",
    "Records of the input topics that were passed over, because their batch is too large or cannot be read; by reason",
    ["reason"],
    unit="records",
    question="Are whole batches of a publisher lost?",
)
TOMBSTONE_RECORDS = WORKER.counter(
    "callfold_tombstone_records",
    "Records without a value in the input topics; they are skipped",
    unit="records",
    question="Does a publisher delete keys in a topic that is no table?",
)
MIS_KEYED_EVENTS = WORKER.counter(
    "callfold_mis_keyed_events",
    "Events whose record key is not the call id, or that came on another partition than the key's",
    unit="events",
    question="Does a publisher key its records wrongly, so that workers share a call?",
)
RECORDS_LOST = WORKER.counter(
    "callfold_records_lost",
    "Offsets that Kafka removed before they were read, as by retention; the log has the first and the last",
    ["topic", "partition"],
    unit="records",
    question="Were events lost for ever?",
)
INPUT_PARTITIONS = WORKER.gauge(
    "callfold_input_partitions",
    "Partitions of an input topic; both need the same number",
    ["topic"],
    unit="partitions",
    question="Have both topics as many partitions?",
)
BATCHES = WORKER.counter(
    "callfold_batches_written",
    "Batches written to the event log",
    unit="batches",
    question="Does it write at all?",
)
FULL_BATCHES = WORKER.counter(
    "callfold_full_batches",
    "Batches that reached their limit of records or bytes: more had come than one batch takes",
    unit="batches",
    question="Does more come than is written, as after an outage?",
)
BATCH_EVENTS = WORKER.weighted_histogram(
    "callfold_batch_events",
    "Valid events in one batch",
    buckets=(1, 10, 50, 100, 250, 500, 1000, 2500, 5000, 10_000, 100_000),
    unit="events",
    question="How much does one round of requests to MongoDB carry?",
).series()
BATCH_WRITE_SECONDS = WORKER.weighted_histogram(
    "callfold_batch_write_duration_seconds",
    "Time to decode and write one batch, retries included",
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
    question="How long does a batch take?",
).series()
BATCH_STEP_SECONDS = WORKER.weighted_histogram(
    "callfold_batch_step_duration_seconds",
    "Time that a batch spends in each step, retries included: `decode`, `dead_letters` (Kafka); `insert`,"
    " `read_states`, `mark_stale`, `redact`, `delete` (MongoDB)",
    "step",
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
    question="Which step is slow: the worker's own, or one of MongoDB or Kafka?",
)
LAST_BATCH = WORKER.gauge(
    "callfold_last_batch_timestamp_seconds",
    "When the last batch was written",
    question="Since when has nothing been written?",
)
LAST_COMMIT = WORKER.gauge(
    "callfold_last_commit_timestamp_seconds",
    "When the worker last committed offsets of a partition that it owns, or was assigned it; nothing is committed where"
    " nothing comes",
    ["topic", "partition"],
    question="Since when does a partition stand still?",
)
WATERMARK = WORKER.gauge(
    "callfold_watermark_timestamp_seconds",
    "Until which arrival everything is written, the least of the worker's partitions; advances every second also when"
    " nothing comes, and stops while Kafka, MongoDB or the worker does; `NaN` without a partition",
    question="How old is what readers get?",
)
ASSIGNED = WORKER.gauge(
    "callfold_assigned_partitions",
    "Partitions of the input topics assigned to this worker",
    unit="partitions",
    question="Has every partition an owner, and each worker its share?",
)
REBALANCES = WORKER.counter(
    "callfold_rebalances",
    "Rebalances of the consumer group that this worker saw, the one that it joined by included",
    unit="rebalances",
    question="Does the group come to rest?",
)
REBALANCE_SECONDS = WORKER.histogram(
    "callfold_rebalance_duration_seconds",
    "How long a rebalance kept this worker from reading",
    buckets=(0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300),
    question="How much does a deploy delay?",
)
OPEN_TRANSACTION_SECONDS = WORKER.gauge(
    "callfold_open_transaction_seconds",
    "How long the last stable offset of a partition has stood still behind its end: nobody can read past it",
    ["topic", "partition"],
    question="Does a publisher's open transaction hold up a partition?",
)

# Calls

LIVE_CALLS = WORKER.gauge(
    "callfold_live_calls",
    "Calls of this worker's partitions that are live, at most 50,000; counted every 10 seconds",
    unit="calls",
    question="How many calls are going on?",
)
STALE_CALLS = WORKER.gauge(
    "callfold_stale_calls",
    "Calls of this worker's partitions that wait for a fold, at most 50,000; counted every 10 seconds",
    unit="calls",
    question="Do folds keep up?",
)
BROKEN_CALLS = WORKER.gauge(
    "callfold_broken_calls",
    "Calls of this worker's partitions that could not be folded and have had no event since, at most 50,000; counted"
    " every 10 seconds",
    unit="calls",
    question="How many calls answer with an error until somebody repairs them?",
)
OLDEST_STALE_CALL = WORKER.gauge(
    "callfold_oldest_stale_call_seconds",
    "For how long the call that has waited longest for a fold waits, of this worker's partitions; 0 if none does",
    question="Is a call never folded?",
)

# Folding

FOLDS = WORKER.counter(
    "callfold_folds",
    "Folds of a call, by result: `live`, `final`, `overtaken` by a new event, or `broken`",
    ["result"],
    unit="folds",
    question="How much is folded, and how much of it in vain?",
)
FOLD_SECONDS = WORKER.histogram(
    "callfold_fold_duration_seconds",
    "Time to fold one call, from its log as read to its rendered record",
    buckets=(0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5),
    question="What does a fold cost?",
)
BROKEN = WORKER.counter(
    "callfold_calls_broken",
    "Calls that could not be folded",
    unit="calls",
    question="Has the fold met a call that it cannot fold?",
)
PROBLEMS = WORKER.counter(
    "callfold_problems",
    "Problems of calls, by kind: unreadable fields, conflicts, ends that others overrule; counted at each fold",
    ["kind"],
    unit="problems",
    question="Has a publisher changed? What is missing in records that look right?",
)
UNRATED_USAGE = WORKER.counter(
    "callfold_unrated_usage",
    "Usage of products without a price in the price book, which the total leaves out; counted at each fold",
    unit="products of a call",
    question="Is money missing in the totals?",
)
INVALID_LOGGED_EVENTS = WORKER.counter(
    "callfold_invalid_logged_events",
    "Events in the log that are invalid by the present rules, counted at each fold",
    unit="events",
    question="Do newer rules refuse what older ones let in?",
)

# Maintenance

DELETED = WORKER.counter(
    "callfold_calls_deleted",
    "Calls deleted by their organization's retention policy",
    unit="calls",
    question="Does retention delete what it should, and no more?",
)
TOMBSTONES_EXPIRED = WORKER.counter(
    "callfold_tombstones_expired",
    "Tombstones of deleted calls removed",
    unit="tombstones",
    question="Do tombstones go in the end?",
)
TOMBSTONE_SECONDS = WORKER.gauge(
    "callfold_tombstone_ttl_seconds",
    "How long a deleted call keeps its tombstone, by the retention of the topics; +Inf for ever",
    question="Until when is an event of a deleted call recognized?",
)
SWEEP_REDACTED_CALLS = WORKER.counter(
    "callfold_sweep_redacted_calls",
    "Opted-out calls in whose log the redaction sweep found unredacted content",
    unit="calls",
    question="Was private content stored for a while?",
)
IDLE_CALLS_ENDED = WORKER.counter(
    "callfold_idle_calls_ended",
    "Idle calls ended by an inferred end, by the status they had",
    ["status"],
    unit="calls",
    question="Do providers forget to end calls?",
)
COMMIT_BARRIER_AGE = WORKER.gauge(
    "callfold_commit_barrier_age_seconds",
    "How long the idle-call timeout has waited for all workers to commit what had arrived; it grows while a worker is"
    " far behind or a partition has no owner",
    question="Why are idle calls not ended?",
)
MAINTENANCE_FAILURES = WORKER.counter(
    "callfold_maintenance_failures",
    "Maintenance jobs that failed with an internal error, by job; it runs again later",
    ["job"],
    unit="failures",
    question="Is there an internal error in what nobody waits for?",
)
CLOCK_AHEAD = WORKER.gauge(
    "callfold_clock_ahead_seconds",
    "How far this machine's clock is ahead of the database server's, by which workers decide what is idle or past"
    " retention; negative if behind",
    question="Is a clock wrong?",
)


def text() -> bytes:
    """Return the metrics of the worker and of any process, in Prometheus' text format."""
    return PROCESS.text() + WORKER.text()
