"""The metrics of the monitor, set once for each reading."""

from prometheus_client import REGISTRY, CollectorRegistry, Counter, Gauge, generate_latest

from shared.lag.models import Lag

MONITOR = CollectorRegistry()
"""Metrics of the monitor alone."""

LAST_READING = Gauge(
    "callfold_monitor_last_reading_timestamp_seconds", "When the monitor read the lag last", registry=MONITOR
)
KAFKA_REQUESTS = Counter("callfold_monitor_kafka_requests", "Requests of the monitor to Kafka", registry=MONITOR)


def publish(lag: Lag, requests: int) -> None:
    """Show what the last reading found; `requests` counts all requests to brokers since the start."""
    LAST_READING.set(lag.at)
    KAFKA_REQUESTS.inc(requests - KAFKA_REQUESTS._value.get())  # noqa: SLF001


def monitor() -> bytes:
    """Return the metrics of the monitor and of any process, in Prometheus' text format."""
    return generate_latest(REGISTRY) + generate_latest(MONITOR)
