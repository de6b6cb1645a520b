"""A browser of the console without a screen: it keeps cookies, follows redirects and sends forms."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from html.parser import HTMLParser
from types import TracebackType
from typing import Any, Self

import httpx
from starlette.types import ASGIApp

from services.console.access.accounts import Role
from services.console.settings import ConsoleSettings

HEADER = "x-account"
"""Names the account, as a trusted proxy does."""


def console_settings(role: Role, **settings: Any) -> ConsoleSettings:
    """Return settings with which every account that `HEADER` names has this role."""
    return ConsoleSettings(
        console_proxy_header=HEADER, console_proxy_networks="127.0.0.0/8", console_proxy_role=role, **settings
    )


@dataclass
class Form:
    """A form of a page, with what it sends if nothing is changed."""

    action: str
    fields: list[tuple[str, str]] = field(default_factory=list)


class Page(HTMLParser):
    """A page: its text, its elements by name, its forms."""

    def __init__(self, answer: httpx.Response) -> None:
        super().__init__()
        self.status = answer.status_code
        self.address = answer.url.raw_path.decode()
        self.source = answer.text
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.forms: list[Form] = []
        self._words: list[str] = []
        self.feed(answer.text)

    @property
    def text(self) -> str:
        """What a reader sees, with one space between words."""
        return " ".join(" ".join(self._words).split())

    def form(self, action: str) -> Form:
        """Return the form that is sent to this address."""
        return next(form for form in self.forms if form.action == action)

    def handle_starttag(self, tag: str, attrs: Sequence[tuple[str, str | None]]) -> None:
        attributes = dict(attrs)
        self.elements.append((tag, attributes))
        if tag == "form":
            self.forms.append(Form(attributes.get("action") or ""))
        if tag == "input" and self.forms and attributes.get("type") == "hidden":
            self.forms[-1].fields.append((attributes.get("name") or "", attributes.get("value") or ""))

    def handle_data(self, data: str) -> None:
        self._words.append(data)


class Browser:
    """Somebody at the console; `account` is the name."""

    def __init__(self, app: ASGIApp, account: str = "ann") -> None:
        transport = httpx.ASGITransport(app=app, client=("127.0.0.1", 40_000))
        self._client = httpx.AsyncClient(
            transport=transport, base_url="http://console", headers={HEADER: account}, follow_redirects=True, timeout=60
        )

    async def open(self, address: str) -> Page:
        return Page(await self._client.get(address))

    async def send(self, form: Form, *fields: tuple[str, str]) -> Page:
        """Send a form with these fields as well."""
        sent: dict[str, list[str]] = {}
        for name, value in (*form.fields, *fields):
            sent.setdefault(name, []).append(value)
        return Page(await self._client.post(form.action, data=sent))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._client.aclose()
