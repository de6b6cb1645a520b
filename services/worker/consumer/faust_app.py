"""Faust as the worker needs it: what it must not do by itself, and what runs beside it."""

import logging
from collections.abc import Awaitable, Callable

import faust
from mode import Service

from services.worker.consumer.consumer import ChunkTransport
from services.worker.settings import WorkerSettings
from shared.kafka.access import KafkaAccess

_QUEUED_CHUNKS = 64
# A worker hears of a rebalance by its heartbeats: what another has left stands still until all have heard.
_HEARTBEAT_SECONDS = 0.5


class WorkerApp(faust.App):  # type: ignore[misc]
    """Faust's app without the folders for tables, which the worker does not have."""

    logger = logging.getLogger("faust")

    beside: tuple[Service, ...] = ()
    """What runs from the start on: Faust starts its own services when partitions are assigned, which may take long."""

    leaving: tuple[Callable[[], Awaitable[None]], ...] = ()
    """What is done, in this order, when the batch under way is written and committed."""

    async def on_stop(self) -> None:
        """Write, commit, and leave."""
        await super().on_stop()
        for leave in self.leaving:
            await leave()

    async def on_start(self) -> None:
        """Start what runs beside."""
        await super().on_start()
        for service in self.beside:
            await self.add_runtime_dependency(service)

    def _create_directories(self) -> None:
        return


def faust_app(settings: WorkerSettings) -> WorkerApp:
    """Return the app with the consumer that delivers chunks; it connects to nothing yet."""
    app = WorkerApp(
        settings.group,
        broker=[f"kafka://{host}" for host in settings.kafka.bootstrap.split(",")],
        broker_credentials=_credentials(settings.kafka),
        key_serializer="raw",
        value_serializer="raw",
        store="memory://",
        consumer_auto_offset_reset="earliest",
        # No leader topic, no tables, no Faust web server: nothing is created in Kafka by Faust.
        topic_disable_leader=True,
        topic_allow_declare=False,
        web_enabled=False,
        # With 0 Faust takes another assignor, and a call's partitions of the two topics part company.
        table_standby_replicas=1,
        stream_buffer_maxsize=_QUEUED_CHUNKS,
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


def _credentials(kafka: KafkaAccess) -> faust.SASLCredentials | faust.SSLCredentials | None:
    """Return what Faust's consumer comes with so that it comes as every other client does."""
    if kafka.sasl:
        return faust.SASLCredentials(
            username=kafka.sasl.username,
            password=kafka.sasl.password,
            mechanism=kafka.sasl.mechanism,
            ssl_context=kafka.tls,
        )
    return faust.SSLCredentials(kafka.tls) if kafka.tls else None
