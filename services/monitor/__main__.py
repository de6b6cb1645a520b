"""Runs the monitor: `python -m services.monitor`. Chooses MongoDB as the store."""

import asyncio
import gc
import signal
import socket
from contextlib import suppress

import uvloop

from services.monitor.canary.start import canary
from services.monitor.monitor import Monitor
from services.monitor.server import MonitorServer
from services.monitor.settings import MonitorSettings
from shared.config.program import FAILED, INVALID_SETTINGS, fail, parse_arguments
from shared.config.settings import describe
from shared.lag.mongodb import LIMIT_SECONDS
from shared.lag.reader import LagReader
from shared.process import logs, malloc
from shared.process.sockets import CannotListen, listen
from shared.store.mongo.client import Connection, InvalidMongoUri
from shared.store.mongo.write_probe import MongoWriteProbe

log = logs.logger("services.monitor")


def main() -> None:
    """Watch until SIGTERM or SIGINT; then exit with 0."""
    parse_arguments(
        "services.monitor",
        does="Watches how far the workers are behind, and why.",
        example="CALLFOLD_KAFKA_BOOTSTRAP=127.0.0.1:9092",
        settings=describe(MonitorSettings),
    )
    settings = MonitorSettings.load()
    logs.configure(settings.log_level, settings.log_format)
    malloc.bound()
    try:
        listening = listen(settings.monitor_host, settings.monitor_port, "MONITOR")
    except CannotListen as error:
        fail(FAILED, error)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        try:
            runner.run(_watch(settings, listening))
        except InvalidMongoUri as error:
            fail(INVALID_SETTINGS, error)


async def _watch(settings: MonitorSettings, listening: socket.socket) -> None:
    reader = LagReader(settings.kafka, settings.topics.inputs, settings.group)
    connection = _connection(settings)
    monitor = Monitor(settings.group, reader, MongoWriteProbe(connection))
    async with canary(settings, lambda: monitor.partitions) as running:
        server = MonitorServer(monitor, listening, running)
        await server.start()
        gc.collect()
        gc.freeze()  # imported modules stay: the collector need not traverse them again
        log.info("started", host=settings.monitor_host, port=settings.monitor_port, group=settings.group)
        try:
            await _until_signal(asyncio.create_task(monitor.run()))
        finally:
            await server.stop()
            await reader.close()
            await connection.close()
            log.info("stopped")


def _connection(settings: MonitorSettings) -> Connection:
    # Less than the probe's limit, so that the driver's error, which says more than a timeout, is logged.
    timeout_ms = round(LIMIT_SECONDS * 900)
    return Connection(settings.mongo, settings.mongo_database, driver=settings.mongo_driver, timeout_ms=timeout_ms)


async def _until_signal(task: asyncio.Task[None]) -> None:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, task.cancel)
    with suppress(asyncio.CancelledError):
        await task


if __name__ == "__main__":
    main()
