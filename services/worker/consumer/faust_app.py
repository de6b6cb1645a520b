"""Faust's app as the worker needs it: its settings, and what it starts and stops."""

import logging
import os
import socket
import time
from collections.abc import Awaitable, Callable

import faust

from services.worker import metrics
from services.worker.consumer.consumer import ChunkTransport
from services.worker.settings import WorkerSettings
from shared.kafka.access import KafkaAccess
from shared.process.clock import now_ms

# Each is up to 16 MB of records: what is queued beyond the next batches is memory without a use.
_QUEUED_FETCHES = 2
# A worker learns of a rebalance by a heartbeat: partitions that another left wait until all workers have.
_HEARTBEAT_SECONDS = 0.5
# How soon partitions that are added are read.
_METADATA_MS = 10_000


class WorkerApp(faust.App):  # type: ignore[misc]
    """Faust's app without directories for tables."""

    logger = logging.getLogger("faust")

    clock: Callable[[], int] = staticmethod(now_ms)
    """The clock of arrivals, in Unix milliseconds."""

    stop_actions: tuple[Callable[[], Awaitable[None]], ...] = ()
    """Run in this order when the last batch is written and committed."""

    @property
    def kafka_unavailable(self) -> str | None:
        """Why the consumer cannot read from Kafka now, None if it can, or if there is no consumer yet."""
        # The property `consumer` would make one.
        return None if self._consumer is None else self._consumer.kafka_unavailable

    _rebalancing_since: float | None = None

    def on_rebalance_start(self) -> None:
        """Called at each attempt: another one may begin before this worker has read again."""
        super().on_rebalance_start()
        metrics.REBALANCES.inc()
        if self._rebalancing_since is None:
            self._rebalancing_since = time.monotonic()

    def on_rebalance_end(self) -> None:
        super().on_rebalance_end()
        if self._rebalancing_since is not None:
            metrics.REBALANCE_SECONDS.observe(time.monotonic() - self._rebalancing_since)
        self._rebalancing_since = None

    async def on_stop(self) -> None:
        await super().on_stop()
        for action in self.stop_actions:
            await action()

    def _create_directories(self) -> None:
        return


def faust_app(settings: WorkerSettings) -> WorkerApp:
    """Return the app with the consumer that delivers chunks; it connects to nothing yet."""
    app = WorkerApp(
        settings.group,
        broker=[f"kafka://{host}" for host in settings.kafka.bootstrap.split(",")],
        broker_client_id=_client_id(),
        broker_credentials=_credentials(settings.kafka),
        key_serializer="raw",
        value_serializer="raw",
        store="memory://",
        consumer_auto_offset_reset="earliest",
        consumer_metadata_max_age_ms=_METADATA_MS,
        # No leader topic, no tables, no Faust web server: nothing is created in Kafka by Faust.
        topic_disable_leader=True,
        topic_allow_declare=False,
        web_enabled=False,
        # With 0 Faust takes an assignor that gives a call's two partitions to different workers.
        table_standby_replicas=1,
        stream_buffer_maxsize=_QUEUED_FETCHES,
        stream_wait_empty=True,
        cython_optimizations=True,
        broker_commit_interval=settings.commit_seconds,
        broker_commit_every=None,
        broker_session_timeout=settings.session_seconds,
        broker_heartbeat_interval=_HEARTBEAT_SECONDS,
        broker_rebalance_timeout=max(60.0, settings.session_seconds),
        broker_request_timeout=max(90.0, settings.session_seconds),
        worker_redirect_stdouts=False,
    )
    app.transport = ChunkTransport(app.conf.broker_consumer, app)
    return app


def _client_id() -> str:
    """Return the name by which Kafka and `callfold lag` show this worker: it leads to the process."""
    return f"callfold-worker-{socket.gethostname()}-{os.getpid()}"


def _credentials(kafka: KafkaAccess) -> faust.SASLCredentials | faust.SSLCredentials | None:
    """Return the credentials with which Faust's consumer connects like every other client."""
    if kafka.sasl:
        return faust.SASLCredentials(
            username=kafka.sasl.username,
            password=kafka.sasl.password,
            mechanism=kafka.sasl.mechanism,
            ssl_context=kafka.tls,
        )
    return faust.SSLCredentials(kafka.tls) if kafka.tls else None
