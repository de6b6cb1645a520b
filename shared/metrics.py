"""Every metric: its name spelled once, what it counts beside it. Nothing here names a call or what was said."""

from prometheus_client import Counter, Gauge, Histogram

EVENTS = Counter("callfold_events", "Valid events written to the log, copies included", ["topic"])
DEAD_LETTERS = Counter("callfold_dead_letters", "Records that are no events, by reason", ["reason"])
MISPLACED = Counter("callfold_misplaced_events", "Events with another key than the call's id, or on another partition")
BATCHES = Counter("callfold_batches", "Batches written, and so to be acknowledged")
FLUSH_SECONDS = Histogram(
    "callfold_flush_seconds",
    "One batch from decoding to its marks",
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
)
WAITING_FOR = Gauge("callfold_waiting_for", "1 while the program waits for this to answer", ["what"])
LAST_FLUSH = Gauge("callfold_last_flush_timestamp_seconds", "When the last batch was written")
ASSIGNED = Gauge("callfold_assigned_partitions", "Partitions of the input topics that this worker holds")

FOLDS = Counter("callfold_folds", "Folds of a call, by what became of the result", ["result"])
FOLD_SECONDS = Histogram(
    "callfold_fold_seconds",
    "One call from its parsed log to its rendered record",
    buckets=(0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5),
)
CALLS_WAITING = Gauge("callfold_calls_waiting", "Calls that this worker knows to be stale")
BROKEN = Counter("callfold_broken_calls", "Calls that could not be folded")
CONFLICTS = Counter("callfold_conflicts", "Bodies that lost to a rival of the same source and id, as folds find them")
INVALID_IN_LOG = Counter("callfold_invalid_logged_events", "Events in the log that the present rules find invalid")
UNRATED = Counter("callfold_unrated", "What the price book could not rate, as folds find it", ["why"])

REQUESTS = Counter("callfold_api_requests", "Answers of the API", ["route", "status"])
REQUEST_SECONDS = Histogram(
    "callfold_api_request_seconds",
    "One request from its first byte to the last of its answer",
    ["route"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 3),
)
