"""Run the worker: `python -m services.worker`. Settings: CALLFOLD_* (see README.md)."""

import argparse
import asyncio
import gc
import socket
import sys
from collections.abc import Callable

import faust

from services.worker.app import create_app
from services.worker.consumer import supported_versions
from services.worker.consumer.faust_app import WorkerApp
from services.worker.consumer.topic_setup import KafkaUnavailable, UnusableTopics, Wanted, declare
from services.worker.ingest.dead_letters import DeadLetters, KafkaDeadLetters
from services.worker.maintenance.commit_barrier import KafkaCommitBarrier
from services.worker.maintenance.telephony import KafkaInferredEndPublisher
from services.worker.runtime.retry import retry_until_available
from services.worker.settings import WorkerSettings
from shared.config import policies
from shared.config.price_book import load
from shared.config.settings import describe
from shared.config.toml_file import InvalidConfigFile
from shared.contract.topics import Topics
from shared.fold_pool.pool import FoldPool
from shared.process import logs, malloc, metrics
from shared.process.sockets import CannotListen, listen
from shared.store.mongo.calls import MongoStore
from shared.store.mongo.client import Connection, InvalidMongoUri
from shared.store.mongo.factory import MongoStoreFactory
from shared.store.ports import Store, StoreUnavailable

_EXIT_UNUSABLE = 2
log = logs.logger("services.worker")


Adapt = Callable[[Store, DeadLetters], tuple[Store, DeadLetters]]


def main(adapt: Adapt = lambda store, dead_letters: (store, dead_letters)) -> None:
    """Read the settings, wait for Kafka and MongoDB, run until SIGTERM or Ctrl-C.

    `adapt` may put something around what the worker writes to: the fault tests end the process there.
    """
    argparse.ArgumentParser(
        prog="python -m services.worker",
        description="Fold the events of the input topics into call records.",
        epilog="Example: CALLFOLD_KAFKA_BOOTSTRAP=127.0.0.1:9092 python -m services.worker\n\n"
        + describe(WorkerSettings),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    ).parse_args()
    settings = WorkerSettings.load()
    logs.configure(settings.log_level, settings.log_format)
    malloc.bound()
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    try:
        listening = listen(settings.metrics_host, settings.metrics_port, "METRICS")
        app = loop.run_until_complete(_prepared(settings, listening, adapt))
    except (
        UnusableTopics,
        InvalidConfigFile,
        InvalidMongoUri,
        CannotListen,
        supported_versions.UnsupportedFaust,
    ) as error:
        print(error, file=sys.stderr)  # noqa: T201 - a line for a person
        sys.exit(_EXIT_UNUSABLE)
    except KeyboardInterrupt:
        sys.exit(130)
    # What was imported stays: the collector need not look at it again.
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 50, 50)
    log.info("starting", group=settings.group, kafka=settings.kafka_bootstrap)
    worker = faust.Worker(app, loop=loop, override_logging=False, redirect_stdouts=False, quiet=True)
    worker.spinner = None  # it writes escape sequences even where there is no terminal
    worker.execute_from_commandline()


async def _prepared(settings: WorkerSettings, listening: socket.socket, adapt: Adapt) -> WorkerApp:
    """Return the app with the topics and the indexes it needs in place."""
    book, rules = load(settings.price_book), policies.load(settings.policies)
    topics = Topics(settings.topic_prefix)
    wanted = Wanted(settings.partitions, settings.replication_factor)
    connection = Connection(
        settings.mongo,
        settings.mongo_database,
        driver=settings.mongo_driver,
        timeout_ms=settings.mongo_timeout_ms,
    )
    partitions = await retry_until_available("kafka", lambda: declare(settings.kafka, topics, wanted), KafkaUnavailable)
    opens = MongoStoreFactory(settings.mongo, settings.mongo_database, settings.mongo_driver, settings.mongo_timeout_ms)
    pool = FoldPool(settings, opens, book)
    store = MongoStore(connection, lease_ms=int(settings.lease_seconds * 1000))
    await retry_until_available("mongodb", store.prepare, StoreUnavailable)
    dead_letters = KafkaDeadLetters(settings.kafka, topics.dead_letter)
    telephony = KafkaInferredEndPublisher(settings.kafka, topics.telephony)

    async def close() -> None:
        await pool.close()
        await dead_letters.stop()
        await telephony.stop()
        await connection.close()
        log.info("stopped", events=int(metrics.total(metrics.EVENTS)))

    return create_app(
        settings,
        *adapt(store, dead_letters),
        book,
        telephony=telephony,
        commit_barrier=KafkaCommitBarrier(settings.kafka, topics.inputs, settings.group),
        large=pool,
        policies=rules,
        partitions=partitions,
        listening=listening,
        close=close,
    )


if __name__ == "__main__":
    main()
