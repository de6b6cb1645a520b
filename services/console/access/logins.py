"""Logging in and out."""

from anyio import CapacityLimiter, to_thread
from starlette.datastructures import URL
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from services.console.access.accounts import Accounts
from services.console.access.guard import COOKIE, Guard, field
from services.console.access.sessions import Session
from services.console.rendering import Pages
from services.console.settings import ConsoleSettings
from shared.process.logs import logger
from shared.process.rate_limits import RateLimit, network_of

_HASHES_AT_A_TIME = 2
"""Each takes 64 MiB and a core for some 50 ms."""

_ALL_ACCOUNTS = 5

MOST_NAME = 100
"""A longer name is no account's."""

log = logger(__name__)


class Logins:
    """The pages `/login` and `/logout`."""

    def __init__(self, settings: ConsoleSettings, accounts: Accounts, guard: Guard, pages: Pages) -> None:
        self._accounts = accounts
        self._guard = guard
        self._pages = pages
        each_minute = settings.console_logins_per_minute
        self._of_account = RateLimit(each_minute / 60, burst=each_minute)
        self._of_network = RateLimit(_ALL_ACCOUNTS * each_minute / 60, burst=_ALL_ACCOUNTS * each_minute)
        self._hashes = CapacityLimiter(_HASHES_AT_A_TIME)

    async def form(self, request: Request) -> Response:
        then = _local(request.query_params.get("next", ""))
        if self._guard.session(request) is not None:
            return RedirectResponse(then, 303)
        return self._form(then)

    async def log_in(self, request: Request) -> Response:
        if request.headers.get("sec-fetch-site", "same-origin") != "same-origin":
            raise HTTPException(403, "This form is not from the console.")
        name, password = (await field(request, "name"))[:MOST_NAME], await field(request, "password")
        buckets = self._take(request, name)
        account = await to_thread.run_sync(self._accounts.find, name, password, limiter=self._hashes)
        then = _local(await field(request, "next"))
        if account is None:
            log.warning("login_refused", account=name)
            return self._form(then, "Name or password is wrong.", status=401)
        for limit, bucket in buckets:
            limit.give_back(bucket)
        log.info("login", account=account.name, role=account.role, by="password")
        token, _ = self._guard.sessions.begin(account)
        return self._guard.with_cookie(RedirectResponse(then, 303), token)

    async def log_out(self, request: Request, session: Session) -> Response:
        self._guard.sessions.end(request.cookies.get(COOKIE, ""))
        log.info("logout", account=session.account.name)
        answer = RedirectResponse("/login", 303)
        answer.delete_cookie(COOKIE, path="/")
        return answer

    def _take(self, request: Request, name: str) -> list[tuple[RateLimit, str]]:
        """Take a token of the network and of the account for it; they are given back after a login that succeeds."""
        network = network_of(self._guard.proxies.client(request))
        buckets = [(self._of_network, network), (self._of_account, f"{network}/{name}")]
        for limit, bucket in buckets:
            if wait := limit.take(bucket):
                seconds = f"{max(wait, 1):.0f}"
                raise HTTPException(429, f"Too many attempts. Try again in {seconds} s.", {"Retry-After": seconds})
        return buckets

    def _form(self, then: str, error: str | None = None, *, status: int = 200) -> Response:
        accounts = bool(self._accounts)
        return self._pages.page("login.html", None, status=status, error=error, accounts=accounts, then=then)


def _local(address: str) -> str:
    """Return a path of the console, its first page in place of any other address."""
    plain = address.startswith("/") and not address.startswith("//") and "\\" not in address and address.isprintable()
    return address if plain and not URL(address).netloc else "/"
