"""The browser that is installed on this machine; none is downloaded."""

import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from playwright.async_api import Browser, async_playwright

from deploy.local.errors import LocalError

HOW_TO_GET = "There is no Chromium: sudo apt install chromium"

_NAMES = ("chromium", "chromium-browser", "google-chrome")
_LAUNCHED_WITHIN_MS = 60_000


def find_chromium() -> str | None:
    """Return the path of Chromium or Chrome, None if neither is installed."""
    return next((path for path in map(shutil.which, _NAMES) if path), None)


@asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    """Run Chromium without a window.

    Raises:
        LocalError: it is not installed.
    """
    path = find_chromium()
    if path is None:
        raise LocalError(HOW_TO_GET)
    # Its sandbox needs a user other than root. It opens our own pages alone.
    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=path, args=arguments, timeout=_LAUNCHED_WITHIN_MS)
        try:
            yield browser
        finally:
            await browser.close()
