"""Runs the console: `python -m services.console`. Chooses MongoDB as the store."""

import argparse
import signal
import sys
from typing import NoReturn

import uvicorn

from services.console.access import accounts
from services.console.app import ConsoleDependencies, create_app
from services.console.settings import ConsoleSettings
from services.console.watching.monitor import Monitor
from services.console.watching.prometheus import Prometheus
from shared.config import price_book
from shared.config.settings import describe
from shared.config.toml_file import InvalidConfigFile
from shared.fold_pool.pool import FoldPool
from shared.process import logs, malloc
from shared.process.sockets import CannotListen, listen
from shared.store.mongo.calls import MongoStore
from shared.store.mongo.client import Connection, InvalidMongoUri
from shared.store.mongo.factory import MongoStoreFactory

_FAILED = 1
_INVALID_SETTINGS = 2
_LARGE_CALL_MS = 30_000  # no page waits for a process that folds a large call
_SHUTDOWN_SECONDS = 3


def main() -> None:
    """Serve until SIGTERM or SIGINT; then exit with 0."""
    _parser().parse_args()
    settings = ConsoleSettings.load()
    logs.configure(settings.log_level, settings.log_format)
    malloc.bound()
    try:
        book, listed = price_book.load(settings.price_book), accounts.load(settings.console_accounts)
        listening = listen(settings.console_host, settings.console_port, "CONSOLE")
        connection = Connection(
            settings.mongo,
            settings.mongo_database,
            driver=settings.mongo_driver,
            timeout_ms=settings.console_timeout_ms * 4 // 5,
        )
    except (InvalidConfigFile, InvalidMongoUri) as error:
        _fail(_INVALID_SETTINGS, error)
    except CannotListen as error:
        _fail(_FAILED, error)
    prometheus = None if settings.console_prometheus is None else Prometheus(settings.console_prometheus)
    open_store = MongoStoreFactory(settings.mongo, settings.mongo_database, settings.mongo_driver, _LARGE_CALL_MS)
    pool = FoldPool(settings, open_store, book)
    dependencies = ConsoleDependencies(
        MongoStore(connection), book, listed, Monitor(settings.console_monitor), pool, prometheus
    )
    app = create_app(settings, dependencies)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    signal.signal(signal.SIGINT, lambda *_: sys.exit(0))
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=_SHUTDOWN_SECONDS,
    )
    uvicorn.Server(config).run(sockets=[listening])


def _fail(status: int, error: Exception) -> NoReturn:
    print(error, file=sys.stderr)  # noqa: T201 - for the person who starts it
    sys.exit(status)


def _parser() -> argparse.ArgumentParser:
    return argparse.ArgumentParser(
        prog="python -m services.console",
        description="Serves the console: pages for operators and support, for accounts alone.",
        epilog="Example: CALLFOLD_CONSOLE_ACCOUNTS=accounts.toml python -m services.console\n\n"
        + describe(ConsoleSettings),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )


if __name__ == "__main__":
    main()
