"""The console on the real broker and database of a test."""

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from typing import Any

import pytest
from starlette.types import ASGIApp

from services.console.access.accounts import Accounts, Role
from services.console.app import ConsoleDependencies, create_app
from services.console.watching.monitor import Monitor
from shared.config import price_book
from shared.contract.topics import Topics
from shared.fold_pool.in_process import InProcessFolds
from shared.store.mongo.calls import MongoStore
from shared.store.mongo.client import Connection
from tests.integration.worker.conftest import make_worker, worker
from tests.support.console.browser import Browser, console_settings

__all__ = ["log_in", "make_console", "make_worker", "worker"]

MakeConsole = Callable[..., ASGIApp]
LogIn = Callable[..., Browser]


@pytest.fixture
def make_console(kafka_bootstrap: str, topics: Topics, connection: Connection) -> MakeConsole:
    """Return a function that makes a console whose accounts all have one role."""

    def make(role: Role, **settings: Any) -> ASGIApp:
        usual = {"kafka_bootstrap": kafka_bootstrap, "topic_prefix": topics.prefix, "console_timeout_ms": 20_000}
        made = console_settings(role, **{**usual, **settings})
        store, book = MongoStore(connection), price_book.load(None)
        dependencies = ConsoleDependencies(
            store, book, Accounts({}), Monitor(made.console_monitor), InProcessFolds(store, book)
        )
        return create_app(made, dependencies)

    return make


@pytest.fixture
async def log_in(make_console: MakeConsole) -> AsyncIterator[LogIn]:
    """Return a function that opens a console of its own in a browser, for an account of this role."""
    async with AsyncExitStack() as open_ones:
        made: list[Browser] = []

        def browser(role: Role, **settings: Any) -> Browser:
            made.append(Browser(make_console(role, **settings)))
            return made[-1]

        yield browser
        for each in made:
            await open_ones.enter_async_context(each)
