"""The console's application: its routes, and for which role each is."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp

from services.console.access.accounts import Accounts, Role
from services.console.access.guard import Guard
from services.console.access.logins import Logins
from services.console.access.sessions import Session
from services.console.addresses import call_address
from services.console.calls.one_call.handler import CallPages
from services.console.calls.one_call.large import Pool
from services.console.calls.pages import CallLists
from services.console.dead_letters.wiring import dead_letter_pages
from services.console.middleware import WithHeaders, WithLimit
from services.console.rendering import Pages
from services.console.settings import ConsoleSettings
from services.console.watching.monitor import Monitor
from services.console.watching.overview import WatchingPages
from services.console.watching.prometheus import Prometheus
from shared.fold.prices import PriceBook
from shared.store.ports import Store

_STATIC = Path(__file__).parent / "static"


@dataclass(frozen=True, slots=True)
class ConsoleDependencies:
    """What the console reads from; `large_calls` folds what is too large for this process, `prometheus` may be None."""

    store: Store
    book: PriceBook
    accounts: Accounts
    monitor: Monitor
    large_calls: Pool
    prometheus: Prometheus | None = None


class Console:
    """The pages and who may see them."""

    def __init__(self, settings: ConsoleSettings, dependencies: ConsoleDependencies) -> None:
        self._pages = Pages()
        self._guard = Guard(settings, dependencies.accounts)
        self._logins = Logins(settings, dependencies.accounts, self._guard, self._pages)
        self._watching = WatchingPages(dependencies.monitor, dependencies.prometheus, self._pages)
        self._calls = CallPages(dependencies.store, dependencies.book, dependencies.large_calls, self._pages)
        self._lists = CallLists(dependencies.store, self._pages)
        self._dead_letters, self._replays = dead_letter_pages(settings, dependencies.store, self._pages)

    def routes(self) -> Sequence[BaseRoute]:
        of = self._guard.of
        return (
            Route("/", of(Role.VIEWER, self._watching.overview)),
            Route("/lag", of(Role.VIEWER, self._watching.lag)),
            Route("/calls", of(Role.VIEWER, self._lists.calls)),
            Route("/calls/broken", of(Role.VIEWER, self._lists.broken), methods=["GET"]),
            Route("/calls/broken", of(Role.OPERATOR, self._lists.rebuild), methods=["POST"]),
            Route("/calls/{organization}/{call:path}", of(Role.SUPPORT, self._calls.call), name="call"),
            Route("/dead-letters", of(Role.VIEWER, self._dead_letters.listing)),
            Route("/dead-letters/replay", of(Role.OPERATOR, self._replays.preview), methods=["POST"]),
            Route("/dead-letters/replay/{action}", of(Role.OPERATOR, self._replays.replay), methods=["GET"]),
            Route("/dead-letters/replay/{action}", of(Role.OPERATOR, self._replays.confirm), methods=["POST"]),
            Route("/dead-letters/{number}", of(Role.SUPPORT, self._dead_letters.one)),
            Route("/find", of(Role.SUPPORT, _find)),
            Route("/login", self._logins.form, methods=["GET"], name="login"),
            Route("/login", self._logins.log_in, methods=["POST"]),
            Route("/logout", of(Role.VIEWER, self._logins.log_out), methods=["POST"]),
            Route("/readyz", _ready),
            Mount("/static", StaticFiles(directory=_STATIC), name="static"),
        )

    async def failed(self, request: Request, error: Exception) -> Response:
        """Answer with a plain page that says what is wrong."""
        status, detail = (error.status_code, error.detail) if isinstance(error, HTTPException) else (500, _INTERNAL)
        page = self._pages.page(
            "problem.html",
            self._guard.session(request),
            status=status,
            title=_TITLES.get(status, "The request failed"),
            detail=detail,
        )
        page.headers.update(getattr(error, "headers", None) or {})
        return page


_INTERNAL = "An internal error: the console's log has the details."
_TITLES = {403: "Not allowed", 404: "Not found", 429: "Too many attempts", 503: "Not available"}


def create_app(settings: ConsoleSettings, dependencies: ConsoleDependencies) -> ASGIApp:
    console = Console(settings, dependencies)
    handlers = {HTTPException: console.failed, Exception: console.failed}
    app = Starlette(routes=console.routes(), exception_handlers=handlers)
    app.router.redirect_slashes = False  # a path that is nearly right is none
    return WithHeaders(WithLimit(app))


async def _find(request: Request, _session: Session) -> Response:
    organization, call = (request.query_params.get(name, "").strip() for name in ("organization", "call"))
    if not organization or not call:
        raise HTTPException(400, "State the organization and the id of the call.")
    return RedirectResponse(call_address(organization, call), 303)


async def _ready(_request: Request) -> Response:
    # It serves without any of its dependencies, to say which of them is away.
    return JSONResponse({"status": "ready"})
