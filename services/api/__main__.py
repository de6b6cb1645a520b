"""Runs the API: `python -m services.api`. Chooses MongoDB as the store."""

import asyncio
import gc
import logging
import socket

from uvicorn.loops.auto import auto_loop_factory

from services.api.app import ApiDependencies, create_app, create_operation_app
from services.api.server.servers import Listener, serve
from services.api.settings import ApiSettings
from shared.config import price_book
from shared.config.program import FAILED, INVALID_SETTINGS, exit_on_signals, fail, parse_arguments
from shared.config.settings import describe
from shared.config.toml_file import InvalidConfigFile
from shared.fold.prices import PriceBook
from shared.fold_pool.pool import FoldPool
from shared.process import logs, malloc
from shared.process.sockets import CannotListen, listen
from shared.store.mongo.api_keys import MongoApiKeys
from shared.store.mongo.calls import MongoStore
from shared.store.mongo.client import Connection, InvalidMongoUri
from shared.store.mongo.factory import MongoStoreFactory

_GC_THRESHOLD = 200_000  # new objects between two collections; a call of 3,000 events is 60,000 that stay


def main() -> None:
    """Serve until SIGTERM or SIGINT; then finish the open requests and exit with 0."""
    parse_arguments(
        "services.api",
        does="Serves call records over HTTP.",
        example="CALLFOLD_API_PORT=8181",
        settings=describe(ApiSettings),
    )
    settings = ApiSettings.load()
    logs.configure(settings.log_level, settings.log_format)
    malloc.bound()
    # Its warnings are about requests that are not HTTP: a client could fill the log with them.
    logging.getLogger("uvicorn.error").setLevel(logging.ERROR)
    book = _book(settings)
    public = _listen(settings.api_host, settings.api_port, "API")
    operation = _listen_for_operation(settings)
    with asyncio.Runner(loop_factory=auto_loop_factory()) as runner:
        exit_on_signals()
        runner.run(_serve(settings, book, public, operation))


async def _serve(
    settings: ApiSettings, book: PriceBook, public: socket.socket, operation: socket.socket | None
) -> None:
    connection = _connection(settings)
    access, database = settings.mongo, settings.mongo_database
    pool = FoldPool(
        settings, MongoStoreFactory(access, database, settings.mongo_driver, settings.api_fold_timeout_ms), book
    )
    dependencies = ApiDependencies(MongoStore(connection), MongoApiKeys(connection), book, pool)
    app = create_app(settings, dependencies)
    # What exists now stays. Searching it for garbage, and that after every few hundred objects of a parsed call, would
    # take a quarter of the time.
    gc.freeze()
    gc.set_threshold(_GC_THRESHOLD)
    try:
        await serve(
            settings,
            Listener(app, public),
            None if operation is None else Listener(create_operation_app(settings, dependencies), operation),
        )
    finally:
        await pool.close()
        await connection.close()


def _connection(settings: ApiSettings) -> Connection:
    # Less than a request waits, so that the driver's error, which says more than a timeout, is logged.
    timeout_ms = settings.api_timeout_ms * 4 // 5
    try:
        return Connection(settings.mongo, settings.mongo_database, driver=settings.mongo_driver, timeout_ms=timeout_ms)
    except InvalidMongoUri as error:
        fail(INVALID_SETTINGS, error)


def _listen(host: str, port: int, variables: str) -> socket.socket:
    try:
        return listen(host, port, variables)
    except CannotListen as error:
        fail(FAILED, error)


def _listen_for_operation(settings: ApiSettings) -> socket.socket | None:
    if settings.api_metrics_port is None:
        return None
    return _listen(settings.api_metrics_host, settings.api_metrics_port, "API_METRICS")


def _book(settings: ApiSettings) -> PriceBook:
    try:
        return price_book.load(settings.price_book)
    except InvalidConfigFile as error:
        fail(INVALID_SETTINGS, error)


if __name__ == "__main__":
    main()
