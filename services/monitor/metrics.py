"""The metrics of the monitor, set once for each reading."""

from shared.lag.models import Lag
from shared.process.metric_set import MetricSet
from shared.process.metrics import PROCESS

MONITOR = MetricSet()
"""Metrics of the monitor alone, those of the canary included."""

LAST_READING = MONITOR.gauge(
    "callfold_monitor_last_reading_timestamp_seconds",
    "When the monitor read the lag last",
    question="Is what the monitor shows of now?",
)
KAFKA_REQUESTS = MONITOR.counter(
    "callfold_monitor_kafka_requests",
    "Requests of the monitor to Kafka",
    unit="requests",
    question="What does the monitor cost the brokers?",
)


def publish(lag: Lag, requests: int) -> None:
    """Show what the last reading found; `requests` counts all requests to brokers since the start."""
    LAST_READING.set(lag.at)
    KAFKA_REQUESTS.inc(requests - KAFKA_REQUESTS._value.get())  # noqa: SLF001


def monitor() -> bytes:
    """Return the metrics of the monitor and of any process, in Prometheus' text format."""
    return PROCESS.text() + MONITOR.text()
