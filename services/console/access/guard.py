"""Whose request it is, and whether its account may see the page."""

from collections.abc import Awaitable, Callable
from urllib.parse import urlencode

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from services.console.access.accounts import Account, Accounts, Role
from services.console.access.proxies import Proxies
from services.console.access.sessions import Session, Sessions
from services.console.settings import ConsoleSettings
from shared.process.logs import logger

COOKIE = "callfold_console"

REFRESH_HEADER = "x-callfold-refresh"
"""The script sends it when it asks for a page again: nobody is at work."""

_MOST_FORM_FIELDS = 1_000
_FORM = "application/x-www-form-urlencoded"

Handler = Callable[[Request, Session], Awaitable[Response]]

log = logger(__name__)


class Guard:
    """Finds the session of a request, and wraps handlers so that only accounts of a role reach them."""

    def __init__(self, settings: ConsoleSettings, accounts: Accounts) -> None:
        self._settings = settings
        self._accounts = accounts
        self.proxies = Proxies(settings.console_proxy_networks, settings.console_proxy_header)
        self.sessions = Sessions(settings.console_idle_minutes * 60, settings.console_session_hours * 3600)

    def of(self, role: Role, handler: Handler) -> Callable[[Request], Awaitable[Response]]:
        """Return the handler for accounts of at least this role; others are asked to log in, or told why not."""

        async def handle(request: Request) -> Response:
            session = self.session(request)
            if session is not None:
                return await self._admitted(request, session, role, handler)
            account = self._named_by_proxy(request)
            if account is None:
                return RedirectResponse(f"/login{_next(request)}", 303)
            token, session = self._of_proxy(account)
            return self.with_cookie(await self._admitted(request, session, role, handler), token)

        return handle

    def session(self, request: Request) -> Session | None:
        """Return the session of a request; one that a proxy began lasts as long as it names the same account."""
        session = self.sessions.get(request.cookies.get(COOKIE), at_work=not is_refresh(request))
        if session is not None and session.by_proxy and self._named_by_proxy(request) != session.account:
            return None
        return session

    def _of_proxy(self, account: Account) -> tuple[str, Session]:
        known = self.sessions.of_proxy(account)
        if known is None:
            log.info("login", account=account.name, role=account.role, by="proxy")
        return known or self.sessions.begin(account, by_proxy=True)

    def with_cookie(self, answer: Response, token: str) -> Response:
        """Return the answer with the session's cookie."""
        # Lax: a link to a call, in a chat, opens it. Forms have a token of their own.
        secure = self._settings.console_secure_cookie
        answer.set_cookie(COOKIE, token, httponly=True, samesite="lax", secure=secure, path="/")
        return answer

    async def _admitted(self, request: Request, session: Session, role: Role, handler: Handler) -> Response:
        if not session.account.role.includes(role):
            log.warning("page_refused", account=session.account.name, path=request.scope["path"])
            raise HTTPException(403, f"This page is for the role {role}; yours is {session.account.role}.")
        if request.method == "POST" and not session.sent(await field(request, "csrf")):
            raise HTTPException(403, "This form is not from a page of your session. Go back and load it again.")
        return await handler(request, session)

    def _named_by_proxy(self, request: Request) -> Account | None:
        name = self.proxies.account(request)
        if name is None:
            return None
        return self._accounts.named(name) or Account(name, self._settings.console_proxy_role)


def is_refresh(request: Request) -> bool:
    """Return whether a page asks for itself again."""
    return REFRESH_HEADER in request.headers


async def field(request: Request, name: str) -> str:
    """Return a field of the form that was sent, "" without it."""
    if not request.headers.get("content-type", "").startswith(_FORM):
        # Parts of a multipart form name a character set each, and some decoders take the square of the length.
        raise HTTPException(415, "The form is not sent as the console's pages send it.")
    value = (await request.form(max_fields=_MOST_FORM_FIELDS)).get(name, "")
    return value if isinstance(value, str) else ""


def _next(request: Request) -> str:
    """Return the query with which the login returns to this page."""
    # Relative addresses alone: behind a proxy the console does not know its own.
    wanted = request.scope["raw_path"].decode("ascii", "replace") + (
        f"?{request.url.query}" if request.url.query else ""
    )
    return "" if request.method != "GET" or wanted == "/" else f"?{urlencode({'next': wanted})}"
