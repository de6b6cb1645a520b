"""The console's application: its routes, who may see them, and what they show."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anyio.to_thread
import orjson
from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.applications import Starlette
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.console.accounts import Accounts, Role
from services.console.call.page import call_page, clock, date
from services.console.headers import HEADERS
from services.console.monitor import Monitor, MonitorUnavailable
from services.console.sessions import Session, Sessions
from services.console.settings import ConsoleSettings
from shared.calls.read_call import CachedReads, CallBroken, Large, Reading
from shared.calls.read_details import DetailsReads
from shared.contract.ids import call_key
from shared.fold.prices import PriceBook
from shared.process.logs import logger
from shared.process.rate_limits import RateLimit, network_of
from shared.store.ports import Store, StoreUnavailable

COOKIE = "callfold_console"

_HERE = Path(__file__).parent
_MOST_FORM_FIELDS = 10

Handler = Callable[[Request, Session], Awaitable[Response]]

log = logger(__name__)


@dataclass(frozen=True, slots=True)
class ConsoleDependencies:
    """What the console reads from."""

    store: Store
    book: PriceBook
    accounts: Accounts
    monitor: Monitor


class Console:
    """The pages."""

    def __init__(self, settings: ConsoleSettings, dependencies: ConsoleDependencies) -> None:
        self._settings = settings
        self._accounts = dependencies.accounts
        self._monitor = dependencies.monitor
        self._records = CachedReads(dependencies.store, dependencies.book)
        self._details = DetailsReads(dependencies.store, dependencies.book)
        self._sessions = Sessions(settings.console_idle_minutes * 60, settings.console_session_hours * 3600)
        each_minute = settings.console_logins_per_minute
        self._logins = RateLimit(each_minute / 60, burst=each_minute)
        self._pages = Environment(
            loader=PackageLoader("services.console"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
        )
        self._pages.filters |= {"clock": clock, "date": date}

    def routes(self) -> Sequence[Route | Mount]:
        return (
            Route("/", self._for(Role.VIEWER, self._overview)),
            Route("/calls/{organization}/{call}", self._for(Role.SUPPORT, self._call), name="call"),
            Route("/find", self._for(Role.SUPPORT, self._find)),
            Route("/login", self._login_page, methods=["GET"]),
            Route("/login", self._login, methods=["POST"]),
            Route("/logout", self._for(Role.VIEWER, self._logout), methods=["POST"]),
            Mount("/static", StaticFiles(directory=_HERE / "static")),
        )

    def _for(self, role: Role, handler: Handler) -> Callable[[Request], Awaitable[Response]]:
        """Return the handler for accounts of at least this role; others are asked to log in, or told why not."""

        async def handle(request: Request) -> Response:
            session = self._sessions.get(request.cookies.get(COOKIE))
            if session is None:
                return RedirectResponse("/login", status_code=303)
            if not session.account.role.includes(role):
                raise HTTPException(403, f"This page is for the role {role}; yours is {session.account.role}.")
            if request.method == "POST" and not session.sent(await _field(request, "csrf")):
                raise HTTPException(403, "This form is not from a page of your session. Go back and load it again.")
            return await handler(request, session)

        return handle

    async def _overview(self, _request: Request, session: Session) -> Response:
        lag, missing = None, None
        try:
            lag = await self._monitor.lag()
        except MonitorUnavailable as error:
            missing = str(error)
        return self._page("overview.html", session, lag=lag, missing=missing)

    async def _find(self, request: Request, _session: Session) -> Response:
        organization, call = (request.query_params.get(name, "").strip() for name in ("organization", "call"))
        if not organization or not call:
            raise HTTPException(400, "State the organization and the id of the call.")
        return RedirectResponse(request.url_for("call", organization=organization, call=call), status_code=303)

    async def _call(self, request: Request, session: Session) -> Response:
        organization, call = request.path_params["organization"], request.path_params["call"]
        key = call_key(organization, call)
        log.info("call_opened", account=session.account.name, call=key)
        try:
            record, details = await self._records.read(key), await self._details.read(key)
        except StoreUnavailable:
            raise HTTPException(503, "MongoDB does not answer. The page loads again when it does.") from None
        except CallBroken:
            raise HTTPException(500, "The call cannot be folded: see `callfold rebuild --broken`.") from None
        if record is None or details is None:
            raise HTTPException(404, "There is no such call.")
        if isinstance(record, Large) or isinstance(details, Large):
            raise HTTPException(503, "The call is too large for this page.")
        return self._page("call.html", session, page=_page_of(record, details))

    async def _login_page(self, request: Request) -> Response:
        if self._sessions.get(request.cookies.get(COOKIE)) is not None:
            return RedirectResponse("/", status_code=303)
        return self._page("login.html", None, error=None, accounts=bool(self._accounts))

    async def _login(self, request: Request) -> Response:
        if request.headers.get("sec-fetch-site", "same-origin") != "same-origin":
            raise HTTPException(403, "This form is not from the console.")
        name, password = await _field(request, "name"), await _field(request, "password")
        bucket = f"{network_of(request.client.host if request.client else '')}/{name}"
        if wait := self._logins.take(bucket):
            raise HTTPException(429, f"Too many attempts. Try again in {wait:.0f} s.", {"Retry-After": f"{wait:.0f}"})
        account = await anyio.to_thread.run_sync(self._accounts.find, name, password)
        if account is None:
            log.warning("login_refused", account=name[:100])
            page = self._page("login.html", None, error="Name or password is wrong.", accounts=bool(self._accounts))
            page.status_code = 401
            return page
        self._logins.give_back(bucket)
        log.info("login", account=account.name, role=account.role)
        token, _ = self._sessions.begin(account)
        answer = RedirectResponse("/", status_code=303)
        secure = self._settings.console_secure_cookie
        answer.set_cookie(COOKIE, token, httponly=True, samesite="strict", secure=secure, path="/")
        return answer

    async def _logout(self, request: Request, session: Session) -> Response:
        self._sessions.end(request.cookies[COOKIE])
        log.info("logout", account=session.account.name)
        answer = RedirectResponse("/login", status_code=303)
        answer.delete_cookie(COOKIE, path="/")
        return answer

    def _page(self, template: str, session: Session | None, **content: Any) -> Response:
        return HTMLResponse(self._pages.get_template(template).render(session=session, **content))

    async def failed(self, request: Request, error: Exception) -> Response:
        """Answer with a plain page that says what is wrong."""
        assert isinstance(error, HTTPException)
        session = self._sessions.get(request.cookies.get(COOKIE))
        page = self._page("problem.html", session, status=error.status_code, detail=error.detail)
        page.status_code = error.status_code
        page.headers.update(error.headers or {})
        return page


class WithHeaders:
    """Adds the console's headers to every answer."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def sent(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(HEADERS)
            await send(message)

        await self._app(scope, receive, sent if scope["type"] == "http" else send)


def create_app(settings: ConsoleSettings, dependencies: ConsoleDependencies) -> ASGIApp:
    console = Console(settings, dependencies)
    app = Starlette(routes=console.routes(), exception_handlers={HTTPException: console.failed})
    return WithHeaders(app)


def _page_of(record: Reading, details: Reading) -> Any:
    return call_page(orjson.loads(record.body), orjson.loads(details.body), record.finality)


async def _field(request: Request, name: str) -> str:
    form = await request.form(max_fields=_MOST_FORM_FIELDS, max_files=0)
    value = form.get(name, "")
    return value if isinstance(value, str) else ""
