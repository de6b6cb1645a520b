"""Every metric, named by Prometheus' conventions. None names a call, or quotes what was said in one."""

from prometheus_client import REGISTRY, CollectorRegistry, Counter, Gauge, Histogram, generate_latest

WORKER = CollectorRegistry()
"""Metrics of the worker alone."""
API = CollectorRegistry()
"""Metrics of the API alone."""

# Ingest

EVENTS = Counter(
    "callfold_events",
    "Events by type and outcome: `written` (durable and readable, repeated deliveries included), `dead_letter`, or"
    " `late` (of a deleted call: removed). A type that the contract does not have, or that could not be read, is"
    " `unknown`",
    ["type", "outcome"],
    registry=WORKER,
)
DEAD_LETTERS = Counter(
    "callfold_dead_letters", "Invalid records sent to the dead-letter topic, by reason", ["reason"], registry=WORKER
)
UNREAD_RECORDS = Counter(
    "callfold_unread_records",
    "Records of the input topics that were passed over, because their batch is too large or cannot be read; by reason",
    ["reason"],
    registry=WORKER,
)
TOMBSTONE_RECORDS = Counter(
    "callfold_tombstone_records", "Records without a value in the input topics; they are skipped", registry=WORKER
)
MIS_KEYED_EVENTS = Counter(
    "callfold_mis_keyed_events",
    "Events whose record key is not the call id, or that came on another partition than the key's",
    registry=WORKER,
)
RECORDS_LOST = Counter(
    "callfold_records_lost",
    "Offsets that Kafka removed before they were read, as by retention; the log has the first and the last",
    ["topic", "partition"],
    registry=WORKER,
)
INPUT_PARTITIONS = Gauge(
    "callfold_input_partitions", "Partitions of an input topic; both need the same number", ["topic"], registry=WORKER
)
BATCHES = Counter("callfold_batches_written", "Batches written to the event log", registry=WORKER)
FULL_BATCHES = Counter(
    "callfold_full_batches",
    "Batches that reached their limit of records or bytes: more had come than one batch takes",
    registry=WORKER,
)
BATCH_WRITE_SECONDS = Histogram(
    "callfold_batch_write_duration_seconds",
    "Time to decode and write one batch",
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
    registry=WORKER,
)
BATCH_STEP_SECONDS = Histogram(
    "callfold_batch_step_duration_seconds",
    "Time that a batch spends in each step, with its retries: decode, dead_letters, insert, read_states, mark_stale,"
    " redact, delete",
    ["step"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
    registry=WORKER,
)
BATCH_EVENTS = Histogram(
    "callfold_batch_events",
    "Valid events in one batch",
    buckets=(1, 10, 50, 100, 250, 500, 1000, 2500, 5000, 10_000, 100_000),
    registry=WORKER,
)
LAST_BATCH = Gauge("callfold_last_batch_timestamp_seconds", "When the last batch was written", registry=WORKER)
WATERMARK = Gauge(
    "callfold_watermark_timestamp_seconds",
    "Until which arrival all is written, the least of the partitions of this worker; NaN if it knows none",
    registry=WORKER,
)
ASSIGNED = Gauge(
    "callfold_assigned_partitions", "Partitions of the input topics assigned to this worker", registry=WORKER
)
LAST_COMMIT = Gauge(
    "callfold_last_commit_timestamp_seconds",
    "When this worker last committed offsets of a partition that it owns, or was assigned it",
    ["topic", "partition"],
    registry=WORKER,
)
REBALANCES = Counter("callfold_rebalances", "Rebalances of the consumer group that this worker saw", registry=WORKER)
REBALANCE_SECONDS = Histogram(
    "callfold_rebalance_duration_seconds",
    "How long a rebalance kept this worker from reading",
    buckets=(0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300),
    registry=WORKER,
)
OPEN_TRANSACTION_SECONDS = Gauge(
    "callfold_open_transaction_seconds",
    "How long the last stable offset of a partition has stood still behind its end: nobody can read past it",
    ["topic", "partition"],
    registry=WORKER,
)

# Folding

FOLDS = Counter(
    "callfold_folds",
    "Folds of a call, by result: live, final, overtaken by a new event, or broken",
    ["result"],
    registry=WORKER,
)
FOLD_SECONDS = Histogram(
    "callfold_fold_duration_seconds",
    "Time to fold one call, from its log as read to its rendered record",
    buckets=(0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5),
    registry=WORKER,
)
STALE_CALLS = Gauge("callfold_stale_calls", "Calls of this worker that wait for a fold", registry=WORKER)
BROKEN = Counter("callfold_calls_broken", "Calls that could not be folded", registry=WORKER)
PROBLEMS = Counter(
    "callfold_problems",
    "Problems of calls, by kind: unreadable fields, conflicts, ends that others overrule; counted per fold",
    ["kind"],
    registry=WORKER,
)
INVALID_LOGGED_EVENTS = Counter(
    "callfold_invalid_logged_events",
    "Events in the log that are invalid by the present rules, counted per fold",
    registry=WORKER,
)
POOL_SECONDS = Histogram(
    "callfold_fold_pool_duration_seconds",
    "Time to read and fold one large call in a process of the fold pool",
    buckets=(0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120),
)
POOL_ENDED = Counter("callfold_fold_pool_processes_ended", "Processes of the fold pool that ended or were ended")

# Maintenance

DELETED = Counter("callfold_calls_deleted", "Calls deleted by their organization's retention policy", registry=WORKER)
TOMBSTONES_EXPIRED = Counter("callfold_tombstones_expired", "Tombstones of deleted calls removed", registry=WORKER)
TOMBSTONE_SECONDS = Gauge(
    "callfold_tombstone_ttl_seconds",
    "How long a deleted call keeps its tombstone, by the retention of the topics; +Inf for ever",
    registry=WORKER,
)
SWEEP_REDACTED_CALLS = Counter(
    "callfold_sweep_redacted_calls",
    "Opted-out calls in whose log the redaction sweep found unredacted content",
    registry=WORKER,
)
IDLE_CALLS_ENDED = Counter(
    "callfold_idle_calls_ended",
    "Idle calls ended by an inferred end, by the status they had",
    ["status"],
    registry=WORKER,
)
COMMIT_BARRIER_AGE = Gauge(
    "callfold_commit_barrier_age_seconds",
    "How long the idle-call timeout has waited for all workers to commit what had arrived",
    registry=WORKER,
)
MAINTENANCE_FAILURES = Counter(
    "callfold_maintenance_failures", "Maintenance jobs that failed with an internal error", ["job"], registry=WORKER
)

# Every process

DEPENDENCY_UNAVAILABLE = Gauge(
    "callfold_dependency_unavailable", "1 while this dependency does not answer and the process retries", ["dependency"]
)
CLOCK_AHEAD = Gauge(
    "callfold_clock_ahead_seconds",
    "How far this machine's clock is ahead of the database server's, by which the worker works; negative if behind",
    registry=WORKER,
)
FLEET_SETTING_DIFFERS = Gauge(
    "callfold_fleet_setting_differs",
    "1 while this setting is not that of the worker that started last: rules, price book, policies, log id HMAC key",
    ["setting"],
)

# The API

REQUESTS = Counter("callfold_api_requests", "Responses of the API", ["route", "status"], registry=API)
REQUEST_SECONDS = Histogram(
    "callfold_api_request_duration_seconds",
    "Time from the first byte of a request to the last byte of its response",
    ["route"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 3),
    registry=API,
)
CONNECTIONS = Gauge("callfold_api_connections", "Open connections of the API", registry=API)
CONNECTIONS_REFUSED = Counter(
    "callfold_api_connections_refused",
    "Connections that the API closed by itself, by reason: a request over a limit or not HTTP, too many connections, a"
    " client that does not read its response",
    ["reason"],
    registry=API,
)


def total(counter: Counter, **labels: str) -> float:
    """Return the sum of a counter over the series that have these labels."""
    samples = [sample for metric in counter.collect() for sample in metric.samples if sample.name.endswith("_total")]
    return sum(sample.value for sample in samples if labels.items() <= sample.labels.items())


def worker() -> bytes:
    """Return the metrics of the worker and of any process, in Prometheus' text format."""
    return generate_latest(REGISTRY) + generate_latest(WORKER)


def api() -> bytes:
    """Return the metrics of the API and of any process, in Prometheus' text format."""
    return generate_latest(REGISTRY) + generate_latest(API)
