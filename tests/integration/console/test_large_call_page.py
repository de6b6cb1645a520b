"""A call of 100,000 turns: no request of its page takes long, and its transcript has pages."""

import asyncio
import re
import time
from collections.abc import AsyncIterator

import pytest

from services.console.access.accounts import Accounts, Role
from services.console.app import ConsoleDependencies, create_app
from services.console.watching.monitor import Monitor
from shared.config.mongo_access import MongoAccess
from shared.fold_pool.pool import FoldPool
from shared.fold_pool.settings import PoolSettings
from shared.store.mongo.calls import MongoStore
from shared.store.mongo.client import Connection
from shared.store.mongo.factory import MongoStoreFactory
from tests.support.console.browser import Browser, Page, console_settings
from tests.support.events.large_calls import long_call, put_large
from tests.support.events.makers import book
from tests.support.eventually import scaled

TURNS = 100_000
SECONDS = 2.0
PICTURE_BYTES = 200_000
ADDRESS = "/calls/org-789/call-456"


@pytest.fixture
async def console(connection: Connection, mongo_uri: str, database: str) -> AsyncIterator[Browser]:
    store = MongoStore(connection)
    await store.prepare()
    await put_large(store, long_call(TURNS, line="It cost $27, as I said."))
    pool = FoldPool(PoolSettings(), MongoStoreFactory(MongoAccess(mongo_uri), database, "motor", 30_000), book())
    settings = console_settings(Role.SUPPORT)
    app = create_app(settings, ConsoleDependencies(store, book(), Accounts({}), Monitor("http://127.0.0.1:9"), pool))
    async with Browser(app) as browser:
        yield browser
    await pool.close()


async def test_it_opens_at_once_and_shows_itself_when_it_is_folded(console: Browser) -> None:
    took: list[float] = []
    began = time.perf_counter()

    page = first = await _timed(console, ADDRESS, took)
    while "is being computed" in page.text:
        await asyncio.sleep(0.2)
        page = await _timed(console, ADDRESS, took)
    there = time.perf_counter() - began
    last = await _timed(console, f"{ADDRESS}?page=200", took)
    explained = await _timed(console, f"{ADDRESS}?explain=call_status", took)
    while "Where this comes from is being computed." in explained.text:
        await asyncio.sleep(0.2)
        explained = await _timed(console, f"{ADDRESS}?explain=call_status", took)
    kept = await _timed(console, ADDRESS, took)

    print(f"there after {there:.1f} s; requests took at most {max(took):.2f} s, the last {took[-1]:.2f} s;")  # noqa: T201
    print(f"the page has {len(kept.source):,} bytes, its picture {len(_picture(kept)):,}")  # noqa: T201
    assert max(took) < scaled(SECONDS)
    assert re.search(r"settling Last event \d{4}-\d\d-\d\d .* is being computed", first.text)
    assert len(_picture(page)) < PICTURE_BYTES
    assert "Page 1 of 200, 100,000 lines" in page.text
    assert "99999 It cost $27, as I said." in last.text
    assert "This event alone gives the value." in explained.text


async def _timed(console: Browser, address: str, took: list[float]) -> Page:
    began = time.perf_counter()
    page = await console.open(address)
    took.append(time.perf_counter() - began)
    assert page.status == 200
    return page


def _picture(page: Page) -> str:
    found = re.search(r"<svg height=.*?</svg>", page.source, re.DOTALL)
    assert found is not None
    return found[0]
