"""A browser that logs in and takes the pictures."""

import io
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from PIL import Image
from playwright.async_api import Browser, Page, ViewportSize

WIDTH, MOST_HEIGHT = 1280, 1600
SCHEMES: Sequence[Literal["light", "dark"]] = ("light", "dark")

_SCREEN = ViewportSize(width=WIDTH, height=900)
_TIMEOUT_MS = 60_000
_COLORS = 256


@dataclass(frozen=True, slots=True)
class Picture:
    """A page by its path; it is taken when it has the text `shows`, down to `height` pixels at most."""

    name: str
    path: str
    shows: str
    height: int = MOST_HEIGHT


@dataclass(frozen=True, slots=True)
class Console:
    """Where the console is, and who logs in to it."""

    address: str
    name: str
    password: str


@asynccontextmanager
async def logged_in(browser: Browser, console: Console) -> AsyncIterator[Page]:
    """Yield a page of an account that has logged in."""
    async with await browser.new_context(
        viewport=_SCREEN, base_url=console.address, reduced_motion="reduce"
    ) as context:
        context.set_default_timeout(_TIMEOUT_MS)
        page = await context.new_page()
        await page.goto("/login")
        await page.get_by_label("Name").fill(console.name)
        await page.get_by_label("Password").fill(console.password)
        await page.get_by_role("main").get_by_role("button", name="Log in").click()
        await page.get_by_role("button", name="Log out").wait_for()
        yield page


async def take(page: Page, pictures: Iterable[Picture], folder: Path) -> list[Path]:
    """Write a file for each picture and each scheme of colors, and return the files."""
    written = []
    for picture in pictures:
        for scheme in SCHEMES:
            await page.emulate_media(color_scheme=scheme)
            await _open(page, picture)
            # As high as the page: what sticks to the end of the screen is where it belongs.
            height = await page.evaluate("document.documentElement.scrollHeight")
            await page.set_viewport_size(ViewportSize(width=WIDTH, height=height))
            whole = await page.screenshot(animations="disabled")
            written.append(folder / f"{picture.name}-{scheme}.png")
            written[-1].write_bytes(_small(whole, picture.height))
    return written


async def _open(page: Page, picture: Picture) -> None:
    """Load the page again until it shows the text: not each renews itself."""
    await page.set_viewport_size(_SCREEN)
    text = page.get_by_text(picture.shows).first
    for _ in range(20):
        await page.goto(picture.path)
        if await text.is_visible():
            return
        await page.wait_for_timeout(1_000)
    await text.wait_for(timeout=1)


def _small(picture: bytes, height: int) -> bytes:
    image = Image.open(io.BytesIO(picture)).convert("RGB")
    image = image.crop((0, 0, image.width, min(image.height, height)))
    output = io.BytesIO()
    # Few colors, so that a palette holds them all, or nearly.
    image.quantize(_COLORS, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE).save(output, "PNG", optimize=True)
    return output.getvalue()
