"""The metrics of the monitor itself."""

from shared.process.metric_set import MetricSet
from shared.process.metrics import PROCESS

MONITOR = MetricSet()
"""Metrics of the monitor alone, those of the canary included."""

LAST_READING = MONITOR.gauge(
    "callfold_monitor_last_reading_timestamp_seconds",
    "When the monitor read the lag last, also where Kafka did not answer",
    question="Is what the monitor shows of now?",
)
KAFKA_REQUESTS = MONITOR.counter(
    "callfold_monitor_kafka_requests",
    "Requests of the monitor to Kafka",
    unit="requests",
    question="What does the monitor cost the brokers?",
)
MONGODB_WRITE_SECONDS = MONITOR.histogram(
    "callfold_monitor_mongodb_write_duration_seconds",
    "Time of the monitor's own small write to a majority, one a second; those that fail are not counted",
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5),
    question="Is MongoDB slow?",
)


def monitor() -> bytes:
    """Return the metrics of the monitor and of any process, in Prometheus' text format."""
    return PROCESS.text() + MONITOR.text()
