"""The worker as a Faust app: which parts run in it, from when, and how it stops."""

from collections.abc import Awaitable, Callable

from mode.supervisors import CrashingSupervisor

from services.worker.consumer.batches import bounded_reading
from services.worker.consumer.faust_app import WorkerApp
from services.worker.runtime.health_server import HealthServer
from services.worker.runtime.watchdog import Watchdog
from services.worker.settings import WorkerSettings
from services.worker.worker import Worker, WorkerDependencies

_BLOCKED_SECONDS = 120.0


def create_app(
    settings: WorkerSettings,
    dependencies: WorkerDependencies,
    *,
    health: HealthServer,
    close: Callable[[], Awaitable[None]],
) -> WorkerApp:
    """Return the app, which connects when it is started.

    From now on `health` asks the worker whether it is ready; `close` closes the connections of the dependencies.
    """
    bounded_reading.install(settings.record_batch_mb * 1024**2)
    worker = Worker(settings, dependencies)
    app = worker.app
    topic = app.topic(*worker.topics.inputs, key_type=bytes, value_type=bytes)
    app.agent(topic, name="ingest", concurrency=1, supervisor_strategy=CrashingSupervisor)(worker.ingest)
    watchdog = Watchdog(
        lambda: bool(app.should_stop or app.crashed),
        grace_seconds=settings.grace_seconds,
        blocked_seconds=_BLOCKED_SECONDS,
    )
    watchdog.start()
    app.task(watchdog.feed)
    app.task(worker.fold)
    app.task(worker.maintenance.run)
    app.task(worker.watermark_writer.run)
    app.on_partitions_assigned.connect(worker.on_assigned, weak=False)
    running = (worker.maintenance.stop, worker.stop_folding, worker.watermark_writer.stop)
    app.stop_actions = (*running, close, watchdog.finished)
    health.started(worker.readiness, worker.progress.standing_still)
    return app
