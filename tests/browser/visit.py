"""A page of the browser, and what no page of the console may do."""

from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

from playwright.async_api import ConsoleMessage, Dialog, Error, Page, Request, ViewportSize

from tests.browser.site import Site
from tests.support.eventually import eventually

PHONE = ViewportSize(width=390, height=844)
DESK = ViewportSize(width=1280, height=900)

_FAILED_TO_LOAD = "Failed to load resource"


_FOCUS = """selector => {
  const focused = document.activeElement, shape = focused.querySelector(":scope > rect");
  const around = getComputedStyle(focused), of = shape && getComputedStyle(shape);
  const outlined = around.outlineStyle !== "none" && parseFloat(around.outlineWidth) >= 2;
  return [focused.matches(selector), outlined || (shape && of.stroke !== "none" && parseFloat(of.strokeWidth) >= 2)];
}"""

_MARKUP = """() => {
  const found = window.hit ? ["hit"] : [];
  for (const each of document.querySelectorAll("*")) {
    const name = each.localName;
    if (["img", "iframe", "object", "embed", "style", "textarea"].includes(name)) found.push(name);
    if (name === "script" && each.getAttribute("src") !== "/static/console.js") found.push(name);
    for (const { name: attribute, value } of each.attributes)
      if (attribute.startsWith("on") || attribute === "style" || /^javascript:/i.test(value.trim()))
        found.push(`${name} ${attribute}`);
  }
  return found.sort();
}"""


class Visit:
    """Somebody at the console; `wrong` lists errors, violations of the policy, dialogs and requests to elsewhere."""

    def __init__(self, site: Site, page: Page) -> None:
        self.site = site
        self.page = page
        self.wrong: list[str] = []
        self._transferred: list[Request] = []
        page.on("console", self._said)
        page.on("pageerror", self._threw)
        page.on("dialog", self._asked)
        page.on("request", self._requested)
        page.on("requestfinished", self._finished)

    async def open(self, path: str) -> int:
        """Load a page of the console, and return its status."""
        answer = await self.page.goto(self.site.address + path)
        assert answer is not None
        return answer.status

    async def open_when_there(self, path: str) -> None:
        """Load a page until it exists: a call is there some moments after its first event was published."""

        async def is_there() -> bool:
            return await self.open(path) == 200

        await eventually(is_there)

    async def open_until(self, path: str, holds: Callable[[], Awaitable[bool]]) -> None:
        """Load a page until it is as expected."""

        async def is_so() -> bool:
            await self.open(path)
            return await holds()

        await eventually(is_so)

    async def log_in(self) -> None:
        """Fill in and send the form that is shown."""
        await self.page.get_by_label("Name").fill(self.site.name)
        await self.page.get_by_label("Password").fill(self.site.password)
        await self.page.get_by_role("main").get_by_role("button", name="Log in").click()
        await self.page.get_by_role("button", name="Log out").wait_for()

    async def tab_to(self, selector: str, most: int = 60) -> None:
        """Press Tab until an element has the focus; each on the way shows that it has."""
        for _ in range(most):
            await self.page.keyboard.press("Tab")
            found, outline = await self.page.evaluate(_FOCUS, selector)
            assert found or outline, f"{self.page.url}: the focus is not visible"
            if found:
                assert outline, f"{selector}: the focus is not visible"
                return
        raise AssertionError(f"{selector} is not reached by {most} times Tab")

    async def weight(self) -> int:
        """Return how many bytes were transferred since the last call."""
        finished, self._transferred[:] = list(self._transferred), []
        sizes = [await request.sizes() for request in finished]
        return sum(each["responseHeadersSize"] + each["responseBodySize"] for each in sizes)

    async def markup_of_others(self) -> list[str]:
        """Return elements and attributes that no template has, and scripts that ran."""
        found: list[str] = await self.page.evaluate(_MARKUP)
        return found

    @property
    def path(self) -> str:
        return self.page.url.removeprefix(self.site.address)

    def _finished(self, request: Request) -> None:
        self._transferred.append(request)

    def _said(self, message: ConsoleMessage) -> None:
        # A page with a status such as 404 is reported as an error too.
        is_status = message.text.startswith(_FAILED_TO_LOAD) and message.location["url"] == self.page.url
        if message.type in {"error", "warning"} and not is_status:
            self.wrong.append(f"{message.type}: {message.text}")

    def _threw(self, error: Error) -> None:
        self.wrong.append(f"exception: {error}")

    async def _asked(self, dialog: Dialog) -> None:
        self.wrong.append(f"dialog: {dialog.message}")
        await dialog.dismiss()

    def _requested(self, request: Request) -> None:
        parts = urlsplit(request.url)
        if f"{parts.scheme}://{parts.netloc}" != self.site.address:
            self.wrong.append(f"request to {request.url}")
