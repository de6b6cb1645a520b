"""Every metric: its name spelled once, what it counts beside it. Nothing here names a call or what was said."""

from prometheus_client import REGISTRY, CollectorRegistry, Counter, Gauge, Histogram, generate_latest

WORKER = CollectorRegistry()
"""What only a worker counts."""
API = CollectorRegistry()
"""What only the API counts."""

EVENTS = Counter("callfold_events", "Valid events written to the log, copies included", ["topic"], registry=WORKER)
DEAD_LETTERS = Counter("callfold_dead_letters", "Records that are no events, by reason", ["reason"], registry=WORKER)
MIS_KEYED_EVENTS = Counter(
    "callfold_misplaced_events", "Events with another key than the call's id, or on another partition", registry=WORKER
)
LATE_EVENTS = Counter("callfold_late_events", "Events of deleted calls, which changed nothing", registry=WORKER)
DELETED = Counter("callfold_deleted_calls", "Calls deleted as their organization's policy says", registry=WORKER)
TOMBSTONES_EXPIRED = Counter("callfold_forgotten_calls", "Deleted calls whose tombstone was removed", registry=WORKER)
TOMBSTONE_SECONDS = Gauge(
    "callfold_tombstone_seconds", "How long a deleted call is remembered, as the topics are now", registry=WORKER
)
SWEEP_REDACTED_CALLS = Counter(
    "callfold_swept_calls", "Opted-out calls of which the sweep found something raw", registry=WORKER
)
BATCHES = Counter("callfold_batches", "Batches written, and so to be acknowledged", registry=WORKER)
BATCH_WRITE_SECONDS = Histogram(
    "callfold_flush_seconds",
    "One batch from decoding to its marks",
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
    registry=WORKER,
)
DEPENDENCY_UNAVAILABLE = Gauge("callfold_waiting_for", "1 while the program waits for this to answer", ["what"])
POOL_SECONDS = Histogram(
    "callfold_pool_seconds",
    "One large call in a process of the pool, from its log to what came of it",
    buckets=(0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120),
)
POOL_ENDED = Counter("callfold_pool_processes_ended", "Processes of the pool that were given up, at work or not")
LAST_BATCH = Gauge("callfold_last_flush_timestamp_seconds", "When the last batch was written", registry=WORKER)
ASSIGNED = Gauge(
    "callfold_assigned_partitions", "Partitions of the input topics that this worker holds", registry=WORKER
)

FOLDS = Counter("callfold_folds", "Folds of a call, by what became of the result", ["result"], registry=WORKER)
FOLD_SECONDS = Histogram(
    "callfold_fold_seconds",
    "One call from its parsed log to its rendered record",
    buckets=(0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5),
    registry=WORKER,
)
STALE_CALLS = Gauge("callfold_calls_waiting", "Calls that this worker knows to be stale", registry=WORKER)
BROKEN = Counter("callfold_broken_calls", "Calls that could not be folded", registry=WORKER)
CONFLICTS = Counter(
    "callfold_conflicts", "Bodies that lost to a rival of the same source and id, as folds find them", registry=WORKER
)
INVALID_LOGGED_EVENTS = Counter(
    "callfold_invalid_logged_events", "Events in the log that the present rules find invalid", registry=WORKER
)
RATING_WARNINGS = Counter(
    "callfold_unrated", "What the price book could not rate, as folds find it", ["why"], registry=WORKER
)

IDLE_CALLS_ENDED = Counter(
    "callfold_closed_calls", "Silent calls given an inferred end, by the status they had", ["status"], registry=WORKER
)
COMMIT_BARRIER_AGE = Gauge(
    "callfold_fence_age_seconds",
    "How long the closer has been waiting for all workers to commit what had arrived",
    registry=WORKER,
)
MAINTENANCE_FAILURES = Counter(
    "callfold_failed_chores",
    "What is done from time to time, and failed by a mistake of ours",
    ["chore"],
    registry=WORKER,
)

REQUESTS = Counter("callfold_api_requests", "Answers of the API", ["route", "status"], registry=API)
REQUEST_SECONDS = Histogram(
    "callfold_api_request_seconds",
    "One request from its first byte to the last of its answer",
    ["route"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 3),
    registry=API,
)


def total(counter: Counter) -> float:
    """Return what a counter has come to, over all its labels."""
    return sum(sample.value for metric in counter.collect() for sample in metric.samples if "_total" in sample.name)


def worker() -> bytes:
    """Return the worker's metrics, and those of any process, in Prometheus' text format."""
    return generate_latest(REGISTRY) + generate_latest(WORKER)


def api() -> bytes:
    """Return the API's metrics, and those of any process, in Prometheus' text format."""
    return generate_latest(REGISTRY) + generate_latest(API)
