"""One stack, one browser, and a visit for each test."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from playwright.async_api import Browser, expect

from deploy.local.ports import Ports
from deploy.local.servers.install import install
from deploy.local.stack import Stack
from deploy.screenshots.browser import chromium
from tests.browser.site import Site
from tests.browser.visit import DESK, Visit
from tests.support.eventually import scaled

_TIMEOUT_MS = scaled(10) * 1000


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    install(print)
    with Stack(tmp_path_factory.mktemp("stack"), Ports.free(), prometheus=True) as stack:
        stack.start()
        yield Site(stack)


@pytest.fixture(scope="session")
async def browser() -> AsyncIterator[Browser]:
    expect.set_options(timeout=_TIMEOUT_MS)
    async with chromium() as browser:
        yield browser


@pytest.fixture(scope="session")
async def cookies(site: Site, browser: Browser) -> Any:
    """Return the state of a browser in which somebody has logged in."""
    async with visiting(site, browser) as visit:
        await visit.open("/login")
        await visit.log_in()
        return await visit.page.context.storage_state()


@pytest.fixture
async def stranger(site: Site, browser: Browser) -> AsyncIterator[Visit]:
    """Somebody who has not logged in."""
    async with visiting(site, browser) as visit:
        yield visit


@pytest.fixture
async def visit(site: Site, browser: Browser, cookies: Any) -> AsyncIterator[Visit]:
    """An operator who has logged in."""
    async with visiting(site, browser, cookies) as visit:
        yield visit


@asynccontextmanager
async def visiting(site: Site, browser: Browser, state: Any = None, *, script: bool = True) -> AsyncIterator[Visit]:
    """Yield a visit in a browser with this state; fail if its pages did what no page may do."""
    async with await browser.new_context(viewport=DESK, storage_state=state, java_script_enabled=script) as context:
        context.set_default_timeout(_TIMEOUT_MS)
        visit = Visit(site, await context.new_page())
        yield visit
        assert visit.wrong == []
