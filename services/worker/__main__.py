"""Run the worker: `python -m services.worker`. Its settings are environment variables: see `--help`."""

import asyncio
import gc
import socket
import sys
from collections.abc import Callable

import faust

from services.worker import metrics
from services.worker.app import create_app
from services.worker.consumer import supported_versions
from services.worker.consumer.faust_app import WorkerApp
from services.worker.consumer.topic_setup import UnusableTopics, Wanted, declare
from services.worker.ingest.dead_letters import KafkaDeadLetters
from services.worker.maintenance.commit_barrier import KafkaCommitBarrier
from services.worker.maintenance.idle_calls import KafkaInferredEnds
from services.worker.runtime.health_server import HealthServer
from services.worker.runtime.retry import retry_until_available
from services.worker.settings import WorkerSettings
from services.worker.worker import WorkerDependencies
from shared.config import policies
from shared.config.fleet import of_worker
from shared.config.price_book import load
from shared.config.program import fail, parse_arguments
from shared.config.settings import describe
from shared.config.toml_file import InvalidConfigFile
from shared.contract.topics import Topics
from shared.fold_pool.pool import FoldPool
from shared.kafka.errors import KafkaUnavailable
from shared.process import logs, malloc
from shared.process.clock import ServerClock
from shared.process.dependencies import expected_within, known
from shared.process.metrics import total
from shared.process.sockets import CannotListen, listen
from shared.store.fleet_watch import FleetWatch
from shared.store.mongo.calls import MongoStore
from shared.store.mongo.client import Connection, InvalidMongoUri
from shared.store.mongo.factory import MongoStoreFactory
from shared.store.ports import StoreUnavailable

_EXIT_CANNOT_START = 2
_ANSWER_SECONDS = 4.0
# How long a thread waits for one that computes: by default 5 ms, and a request to the store passes through several.
_SWITCH_SECONDS = 0.001
log = logs.logger("services.worker")


def main(adapt: Callable[[WorkerDependencies], WorkerDependencies] = lambda dependencies: dependencies) -> None:
    """Read the settings, wait for Kafka and MongoDB, run until SIGTERM or Ctrl-C.

    `adapt` can wrap what the worker writes to: the crash tests end the process there.
    """
    parse_arguments(
        "services.worker",
        does="Folds the events of the input topics into call records.",
        example="CALLFOLD_KAFKA_BOOTSTRAP=127.0.0.1:9092",
        settings=describe(WorkerSettings),
    )
    settings = WorkerSettings.load()
    logs.configure(settings.log_level, settings.log_format)
    malloc.bound()
    sys.setswitchinterval(_SWITCH_SECONDS)
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    try:
        supported_versions.check()
        listening = listen(settings.metrics_host, settings.metrics_port, "METRICS")
        app = loop.run_until_complete(_prepared(settings, listening, adapt))
    except (
        UnusableTopics,
        InvalidConfigFile,
        InvalidMongoUri,
        CannotListen,
        supported_versions.UnsupportedFaust,
    ) as error:
        fail(_EXIT_CANNOT_START, error)
    except KeyboardInterrupt:
        sys.exit(130)
    # Imported modules stay: the collector need not traverse them again.
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 50, 50)
    log.info("starting", group=settings.group, kafka=settings.kafka_bootstrap)
    worker = faust.Worker(app, loop=loop, override_logging=False, redirect_stdouts=False, quiet=True)
    worker.spinner = None  # it writes escape sequences even without a terminal
    worker.execute_from_commandline()


async def _prepared(
    settings: WorkerSettings, listening: socket.socket, adapt: Callable[[WorkerDependencies], WorkerDependencies]
) -> WorkerApp:
    """Return the app when Kafka has the topics and MongoDB the indexes that it needs."""
    book, rules = load(settings.price_book), policies.load(settings.policies)
    known("kafka", "mongodb", "group")
    health = HealthServer(listening)
    await health.start()
    topics = Topics(settings.topic_prefix)
    wanted = Wanted(settings.partitions, settings.replication_factor)
    connection = Connection(
        settings.mongo,
        settings.mongo_database,
        driver=settings.mongo_driver,
        timeout_ms=settings.mongo_timeout_ms,
    )
    health.starts("kafka")
    with expected_within(_ANSWER_SECONDS, "kafka"):
        partitions = await retry_until_available(
            "kafka", lambda: declare(settings.kafka, topics, wanted), KafkaUnavailable
        )
    factory = MongoStoreFactory(
        settings.mongo, settings.mongo_database, settings.mongo_driver, settings.mongo_timeout_ms
    )
    pool = FoldPool(settings, factory, book)
    store = MongoStore(connection, lease_ms=int(settings.lease_seconds * 1000))
    health.starts("mongodb")
    clock = ServerClock(store.now, report=metrics.CLOCK_AHEAD.set)
    fleet = FleetWatch(store, of_worker(book, rules, settings.log_id_hmac_key.get_secret_value().encode()))
    await retry_until_available("mongodb", store.prepare, StoreUnavailable)
    await retry_until_available("mongodb", clock.sync, StoreUnavailable)
    await retry_until_available("mongodb", fleet.announce, StoreUnavailable)
    dead_letters, inferred_ends = KafkaDeadLetters(settings.kafka), KafkaInferredEnds(settings.kafka)
    dependencies = WorkerDependencies(
        store=store,
        book=book,
        policies=rules,
        large=pool,
        dead_letters=dead_letters,
        inferred_ends=inferred_ends,
        commit_barrier=KafkaCommitBarrier(settings.kafka, topics.inputs, settings.group),
        partitions=partitions,
        fleet=fleet,
        clock=clock,
    )

    async def close() -> None:
        await pool.close()
        await dead_letters.stop()
        await inferred_ends.stop()
        await connection.close()
        log.info("stopped", events=int(total(metrics.EVENTS, outcome="written")))

    return create_app(settings, adapt(dependencies), health=health, close=close)


if __name__ == "__main__":
    main()
