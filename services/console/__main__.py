"""Runs the console: `python -m services.console`. Chooses MongoDB as the store."""

import asyncio
import socket

import uvicorn
from uvicorn.loops.auto import auto_loop_factory

from services.console.access import accounts
from services.console.access.accounts import Accounts
from services.console.app import ConsoleDependencies, create_app
from services.console.settings import ConsoleSettings
from services.console.watching.monitor import Monitor
from services.console.watching.prometheus import Prometheus
from shared.config import price_book
from shared.config.program import FAILED, INVALID_SETTINGS, exit_on_signals, fail, parse_arguments
from shared.config.settings import describe
from shared.config.toml_file import InvalidConfigFile
from shared.fold.prices import PriceBook
from shared.fold_pool.pool import FoldPool
from shared.process import logs, malloc
from shared.process.sockets import CannotListen, listen
from shared.store.mongo.calls import MongoStore
from shared.store.mongo.client import Connection, InvalidMongoUri
from shared.store.mongo.factory import MongoStoreFactory

_LARGE_CALL_MS = 30_000  # no page waits for a process that folds a large call
_SHUTDOWN_SECONDS = 3


def main() -> None:
    """Serve until SIGTERM or SIGINT; then exit with 0."""
    parse_arguments(
        "services.console",
        does="Serves the console: pages for operators and support, for accounts alone.",
        example="CALLFOLD_CONSOLE_ACCOUNTS=accounts.toml",
        settings=describe(ConsoleSettings),
    )
    settings = ConsoleSettings.load()
    logs.configure(settings.log_level, settings.log_format)
    malloc.bound()
    try:
        book, listed = price_book.load(settings.price_book), accounts.load(settings.console_accounts)
        listening = listen(settings.console_host, settings.console_port, "CONSOLE")
    except InvalidConfigFile as error:
        fail(INVALID_SETTINGS, error)
    except CannotListen as error:
        fail(FAILED, error)
    with asyncio.Runner(loop_factory=auto_loop_factory()) as runner:
        exit_on_signals()
        try:
            runner.run(_serve(settings, book, listed, listening))
        except InvalidMongoUri as error:
            fail(INVALID_SETTINGS, error)


async def _serve(settings: ConsoleSettings, book: PriceBook, listed: Accounts, listening: socket.socket) -> None:
    access, database, driver = settings.mongo, settings.mongo_database, settings.mongo_driver
    # Less than a page may take, so that the driver's error, which says more than a timeout, is logged.
    connection = Connection(access, database, driver=driver, timeout_ms=settings.console_timeout_ms * 4 // 5)
    pool = FoldPool(settings, MongoStoreFactory(access, database, driver, _LARGE_CALL_MS), book)
    prometheus = None if settings.console_prometheus is None else Prometheus(settings.console_prometheus)
    monitor = Monitor(settings.console_monitor)
    dependencies = ConsoleDependencies(MongoStore(connection), book, listed, monitor, pool, prometheus)
    config = uvicorn.Config(
        create_app(settings, dependencies),
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=_SHUTDOWN_SECONDS,
    )
    try:
        await uvicorn.Server(config).serve(sockets=[listening])
    finally:
        await pool.close()
        await connection.close()


if __name__ == "__main__":
    main()
